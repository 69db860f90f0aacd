//! Making a history that shows a difference shorter.

use super::history::Step;
use super::play::{Difference, Played, Scene};

/// More tries than these are not made.
const MOST_TRIES: usize = 150;

/// Whether it is the same difference: the same call, told the same, on the same side.
pub(crate) fn is_same(one: &Difference, other: &Difference) -> bool {
    let call = |difference: &Difference| -> Vec<String> {
        difference.what.split(' ').take(1).map(str::to_owned).collect()
    };
    let code = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    call(one) == call(other)
        && code(&one.theirs) == code(&other.theirs)
        && code(&one.ours) == code(&other.ours)
}

/// Plays steps that are known; on a new scene where pcscd is not at rest.
pub(crate) fn again(scene: &mut Scene, steps: &[Step]) -> Played {
    let play = |scene: &mut Scene| {
        let mut steps = steps.iter();
        scene.play(|_| steps.next().cloned())
    };
    play(scene).unwrap_or_else(|_| {
        scene.renew();
        play(scene).expect("a new scene is at rest")
    })
}

/// Leaves out steps, as long as the difference stays.
pub(crate) fn shrink(scene: &mut Scene, played: Played, difference: &Difference) -> Played {
    let mut best = played;
    let mut tries = MOST_TRIES;
    let mut chunk = best.steps.len() / 2;
    while chunk > 0 && tries > 0 {
        let mut at = best.steps.len();
        while at > 0 && tries > 0 {
            at = at.saturating_sub(chunk);
            tries -= 1;
            let keeps = |(index, (step, _)): (usize, &(Step, String))| {
                (!(at..at + chunk).contains(&index)).then(|| step.clone())
            };
            let fewer: Vec<Step> = best.steps.iter().enumerate().filter_map(keeps).collect();
            let shorter = again(scene, &fewer);
            if shorter.difference.as_ref().is_some_and(|found| is_same(found, difference)) {
                best = shorter;
                at = at.min(best.steps.len());
            }
        }
        chunk /= 2;
    }
    best
}
