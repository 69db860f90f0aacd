//! The C names. Each call is a function that may fail; here it becomes a `LONG`, once for calls without text and twice
//! for calls with it.
//!
//! The exported functions are safe: what they take of memory is of the types of `memory`, which only C can make.

use crate::refused::{Outcome, number};

/// `LONG` of Windows: 32 bits.
pub(crate) type Long = i32;

/// Runs the body of a call and turns its outcome into a `LONG`.
pub(crate) fn answer(call: impl FnOnce() -> Outcome) -> Long {
    match scard_guest::guard(call) {
        Ok(()) => 0,
        Err(refused) => number(refused),
    }
}

/// Calls without text: `SCardName = body(parameter: Type, ...);`
macro_rules! exports {
    ($($(#[$meta:meta])* $name:ident = $body:ident($($parameter:ident: $type:ty),* $(,)?);)*) => {
        $(
            $(#[$meta])*
            #[unsafe(no_mangle)]
            pub extern "C" fn $name($($parameter: $type),*) -> crate::exports::Long {
                crate::exports::answer(move || $body($($parameter),*))
            }
        )*
    };
}

/// Calls with text: `SCardNameA, SCardNameW = body(parameter: Type, ...);`. In the types, `Char` is the unit of the text.
macro_rules! twins {
    ($($(#[$meta:meta])* $ansi:ident, $wide:ident = $body:ident($($parameter:ident: $type:ty),* $(,)?);)*) => {
        mod ansi {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "the types of the parameters")]
            use super::*;

            /// Text in UTF-8.
            type Char = u8;
            $(
                $(#[$meta])*
                #[unsafe(no_mangle)]
                pub extern "C" fn $ansi($($parameter: $type),*) -> crate::exports::Long {
                    crate::exports::answer(move || $body::<Char>($($parameter),*))
                }
            )*
        }

        mod wide {
            #[allow(unused_imports, clippy::wildcard_imports, reason = "the types of the parameters")]
            use super::*;

            /// Text in UTF-16.
            type Char = u16;
            $(
                $(#[$meta])*
                #[unsafe(no_mangle)]
                pub extern "C" fn $wide($($parameter: $type),*) -> crate::exports::Long {
                    crate::exports::answer(move || $body::<Char>($($parameter),*))
                }
            )*
        }
    };
}
