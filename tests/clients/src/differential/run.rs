//! Many histories, on several scenes at once.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::allowed::ALLOWED;
use super::generator::Generator;
use super::history::Step;
use super::play::{Played, Scene};
use super::shrink::{again, is_same, shrink};
use crate::stage::Stage;

/// A scene is given up after so many histories: daemons keep their log, and old pcscds their leaks.
const SCENE_LASTS: usize = 150;

/// What to play.
pub struct Order {
    /// On which stages.
    pub stages: &'static [Stage],
    /// The first seed.
    pub from: u64,
    /// How many.
    pub seeds: u64,
    /// How many scenes at once.
    pub scenes: usize,
    /// Whether to go on after a difference.
    pub all: bool,
}

/// What came of it.
#[derive(Default)]
pub struct Summary {
    /// Histories played.
    pub histories: u64,
    /// Calls compared.
    pub calls: usize,
    /// How often each allowed difference came up.
    pub rows: BTreeMap<usize, usize>,
    /// Differences that did not come again: chance of pcscd's.
    pub unsteady: Vec<String>,
    /// How often pcscd kept handles open whose owners were gone.
    pub stuck: usize,
    /// Histories with a difference that is not allowed.
    pub differences: Vec<String>,
}

impl Summary {
    fn add(&mut self, played: &Played) {
        self.histories += 1;
        self.calls += played.steps.len();
        for row in &played.rows {
            *self.rows.entry(*row).or_default() += 1;
        }
    }

    /// In a few lines.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "{} histories, {} steps, {} differences, {} that did not come again, {} times stuck\n",
            self.histories,
            self.calls,
            self.differences.len(),
            self.unsteady.len(),
            self.stuck
        );
        for (index, allowed) in ALLOWED.iter().enumerate() {
            let times = self.rows.get(&index).copied().unwrap_or(0);
            text.push_str(&format!("{times:>8} x {}\n", allowed.row));
        }
        text
    }
}

/// Plays histories that are known.
#[must_use]
pub fn replay(stages: &'static [Stage], histories: &[Vec<Step>]) -> Vec<Played> {
    let mut scene = Scene::new("replay", stages);
    histories.iter().map(|steps| again(&mut scene, steps)).collect()
}

/// Plays histories made from seeds. Each difference is played again before it is believed.
#[must_use]
pub fn run(order: &Order) -> Summary {
    let next = AtomicU64::new(order.from);
    let summary = Mutex::new(Summary::default());
    let end = order.from + order.seeds;
    thread::scope(|scope| {
        for worker in 0..order.scenes {
            let (next, summary) = (&next, &summary);
            scope.spawn(move || {
                while next.load(Ordering::Relaxed) < end {
                    let name = format!("{}-{worker}", order.stages.len());
                    let scene = Scene::new(&name, order.stages);
                    Worker { scene, next, end, summary, all: order.all }.play();
                }
            });
        }
    });
    summary.into_inner().expect("no worker panics")
}

/// A scene and where its histories come from.
struct Worker<'r> {
    scene: Scene,
    next: &'r AtomicU64,
    end: u64,
    summary: &'r Mutex<Summary>,
    all: bool,
}

impl Worker<'_> {
    fn play(mut self) {
        for _ in 0..SCENE_LASTS {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end {
                return;
            }
            self.play_seed(seed);
        }
    }

    fn play_seed(&mut self, seed: u64) {
        let played = loop {
            let mut generator = Generator::new(seed);
            match self.scene.play(|book| generator.next(book)) {
                Ok(played) => break played,
                Err(_) => {
                    self.note(|summary| summary.stuck += 1);
                    self.scene.renew();
                }
            }
        };
        let Some(difference) = played.difference.clone() else {
            return self.note(|summary| summary.add(&played));
        };
        let steps: Vec<Step> = played.steps.iter().map(|(step, _)| step.clone()).collect();
        let second = again(&mut self.scene, &steps);
        if !second.difference.is_some_and(|found| is_same(&found, &difference)) {
            return self.note(|summary| {
                summary.add(&played);
                summary.unsteady.push(format!("seed {seed}: {difference:?}\n{}", played.text()));
            });
        }
        let short = shrink(&mut self.scene, played, &difference);
        let text = format!("# seed {seed}\n{}# {difference:?}\n", short.text());
        eprintln!("{text}");
        self.note(|summary| {
            summary.add(&short);
            summary.differences.push(text);
        });
        if !self.all {
            self.next.store(self.end, Ordering::Relaxed);
        }
    }

    fn note(&self, what: impl FnOnce(&mut Summary)) {
        what(&mut self.summary.lock().expect("no worker panics"));
    }
}
