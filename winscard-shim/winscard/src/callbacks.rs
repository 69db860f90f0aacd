//! Functions of the program that take part in the choice of a card: they connect to it, look at it, let go of it.

use scard_types::ScardCode;

use crate::layouts::{CardNumber, ContextNumber};
use crate::memory::Opaque;
use crate::text::{Unit, multi_string, string};

/// `LPOCNCONNPROC`: reader, types of cards as a multi-string, the program's own.
pub type Connect<C> =
    Option<unsafe extern "C" fn(ContextNumber, *mut C, *mut C, Opaque) -> CardNumber>;
/// `LPOCNCHKPROC`.
pub type Check = Option<unsafe extern "C" fn(ContextNumber, CardNumber, Opaque) -> i32>;
/// `LPOCNDSCPROC`.
pub type Disconnect = Option<unsafe extern "C" fn(ContextNumber, CardNumber, Opaque)>;

/// The functions that a program brings, and what they are given of its own.
pub(crate) struct Callbacks<C> {
    pub(crate) connect: Connect<C>,
    pub(crate) check: Check,
    pub(crate) disconnect: Disconnect,
    pub(crate) user_data: Opaque,
}

impl<C: Unit> Callbacks<C> {
    /// Who checks a card has to connect to it and to let go of it, too.
    ///
    /// # Errors
    /// [`ScardCode::InvalidParameter`].
    pub(crate) const fn are_whole(&self) -> Result<(), ScardCode> {
        match (self.check, self.connect, self.disconnect) {
            (None, ..) | (Some(_), Some(_), Some(_)) => Ok(()),
            _ => Err(ScardCode::InvalidParameter),
        }
    }

    /// A handle from the program's own function; `None` if it brings none, 0 if that does not connect.
    pub(crate) fn connect(
        &self,
        context: ContextNumber,
        reader: &str,
        card: &str,
    ) -> Option<CardNumber> {
        let connect = self.connect?;
        let mut reader: Vec<C> = string(reader);
        let mut cards: Vec<C> = multi_string(Some(card).filter(|card| !card.is_empty()));
        // SAFETY: a function that takes these, as the program promised; both texts live until it returns.
        Some(unsafe { connect(context, reader.as_mut_ptr(), cards.as_mut_ptr(), self.user_data) })
    }

    /// Whether the program wants that card; without a function that checks, it does.
    pub(crate) fn want(&self, context: ContextNumber, reader: &str, card: &str) -> bool {
        let (Some(check), Some(disconnect)) = (self.check, self.disconnect) else { return true };
        match self.connect(context, reader, card) {
            None | Some(0) => false,
            Some(handle) => {
                // SAFETY: functions that take these, as the program promised.
                unsafe {
                    let wanted = check(context, handle, self.user_data) != 0;
                    disconnect(context, handle, self.user_data);
                    wanted
                }
            }
        }
    }
}
