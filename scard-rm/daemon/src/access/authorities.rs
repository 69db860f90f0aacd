//! Those who decide where the rules do not: asked one after the other, in time, and never believed without an answer.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::bus::Bus;
use super::turns::Turns;
use super::{Authority, Question, Refusal, logind, polkit, wanted_reader};

/// logind and polkit.
#[derive(Default)]
pub(crate) struct Authorities {
    bus: Arc<Bus>,
    turns: Turns,
}

impl Authorities {
    /// Asks. No answer within `patience` is a no.
    ///
    /// # Errors
    /// Why the caller is not let in.
    pub(crate) async fn ask(&self, question: &Question, patience: Duration) -> Result<(), Refusal> {
        let Question { call, caller, authority, .. } = question;
        let asked = async {
            let _turn = self.turns.take(caller.peer().uid).await;
            match authority {
                Authority::Logind => logind::ask(&self.bus, caller).await,
                Authority::Polkit => polkit::ask(&self.bus, caller, wanted_reader(call)).await,
            }
        };
        match timeout(patience, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(Refusal::TooSlow { authority: *authority }),
        }
    }
}
