//! The deadline of a session, set anew with each message and hardly ever reached.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A timer that is touched seldom: to set one wakes the runtime's driver, which costs more than what a message asks for.
/// So it is left running when its deadline is put off or away, and looks when it ends whether there is a later one.
pub(crate) struct Alarm {
    /// How near a deadline is at most when it is set.
    nearest: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// A timer that does not run yet. Deadlines are to be `nearest` away or farther when they are set; it is no error if
    /// they are not.
    pub(crate) const fn new(nearest: Duration) -> Self {
        Self { nearest, sleep: None }
    }

    /// Waits until the deadline. Cancel safe.
    pub(crate) async fn reach(&mut self, deadline: Instant) {
        poll_fn(|cx| {
            // Never later than the nearest deadline that may be set from now on.
            let next = |now: Instant| deadline.min(now + self.nearest);
            let sleep =
                self.sleep.get_or_insert_with(|| Box::pin(sleep_until(next(Instant::now()))));
            if sleep.deadline() > deadline {
                sleep.as_mut().reset(deadline);
            }
            while sleep.as_mut().poll(cx).is_ready() {
                let now = Instant::now();
                if now >= deadline {
                    return Poll::Ready(());
                }
                // It was set for an earlier deadline.
                sleep.as_mut().reset(next(now));
            }
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_reached_on_time_whatever_was_set_before() {
        let begin = Instant::now();
        let mut alarm = Alarm::new(5 * SECOND);
        for later in [30, 5, 7] {
            let given_up =
                tokio::time::timeout(SECOND, alarm.reach(Instant::now() + later * SECOND));
            assert!(given_up.await.is_err());
        }
        assert_eq!(begin.elapsed(), 3 * SECOND);
        alarm.reach(begin + 9 * SECOND).await;
        assert_eq!(begin.elapsed().as_secs(), 9);
        alarm.reach(begin + 20 * SECOND).await;
        assert_eq!(begin.elapsed().as_secs(), 20);
        alarm.reach(begin).await;
        assert_eq!(begin.elapsed().as_secs(), 20);
    }
}
