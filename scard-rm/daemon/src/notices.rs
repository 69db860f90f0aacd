//! Lines of the log that clients can cause at will: each said once in a while, with how often it was kept back.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How long one and the same thing is not said again.
const PERIOD: Duration = Duration::from_secs(10);
/// How many different things are said in that time.
const MOST: usize = 32;

/// What was said lately, by what it was about.
pub(crate) struct Notices<K> {
    said: BTreeMap<K, Said>,
    /// How often something was kept back because there was too much of everything.
    drowned: u64,
}

struct Said {
    at: Instant,
    kept_back: u64,
}

impl<K: Ord> Notices<K> {
    /// Nothing was said yet.
    pub(crate) const fn new() -> Self {
        Self { said: BTreeMap::new(), drowned: 0 }
    }

    /// Whether to say something about `key` now, and if so, how often it was kept back before.
    pub(crate) fn due(&mut self, now: Instant, key: K) -> Option<u64> {
        let recent = |said: &Said| now.duration_since(said.at) < PERIOD;
        match self.said.get_mut(&key) {
            Some(said) if recent(said) => {
                said.kept_back += 1;
                None
            }
            Some(said) => {
                said.at = now;
                Some(std::mem::take(&mut said.kept_back))
            }
            None => {
                if self.said.len() >= MOST {
                    self.said.retain(|_, said| recent(said));
                }
                if self.said.len() >= MOST {
                    self.drowned += 1;
                    return None;
                }
                self.said.insert(key, Said { at: now, kept_back: 0 });
                Some(std::mem::take(&mut self.drowned))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_in_a_while_with_a_count() {
        let (mut notices, begin) = (Notices::new(), Instant::now());
        assert_eq!(notices.due(begin, 1), Some(0));
        assert_eq!(notices.due(begin, 2), Some(0), "another matter");
        for _ in 0..5 {
            assert_eq!(notices.due(begin + PERIOD / 2, 1), None);
        }
        assert_eq!(notices.due(begin + PERIOD, 1), Some(5));
        assert_eq!(notices.due(begin + PERIOD, 1), None);
    }

    #[test]
    fn a_flood_of_different_matters_is_bounded_and_forgotten() {
        let (mut notices, begin) = (Notices::new(), Instant::now());
        let said = (0..1_000).filter(|key| notices.due(begin, *key).is_some()).count();
        assert_eq!((said, notices.said.len()), (MOST, MOST));
        assert_eq!(notices.due(begin + PERIOD, 5_000), Some(1_000 - 32));
        assert_eq!(notices.said.len(), 1);
    }
}
