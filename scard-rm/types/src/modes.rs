//! How a card is shared, spoken to and left behind.

use core::fmt;

/// The rules that a context follows where Windows and pcsc-lite differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Character {
    /// pcsc-lite's rules: `libpcsclite.so.1` and its wire.
    #[default]
    PcscLite,
    /// Windows' rules: `libwinscard.so.1`.
    Windows,
}

/// How a card handle shares its reader (`SCardConnect`, `dwShareMode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShareMode {
    /// Nobody else may hold a handle.
    Exclusive,
    /// Others may hold handles.
    Shared,
    /// For the reader, with or without a card.
    Direct,
}

/// What happens to the card afterwards (`SCardDisconnect`, `SCardEndTransaction`, `SCardReconnect`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// Nothing.
    Leave,
    /// Warm reset.
    Reset,
    /// Power off (and on again: cold reset, for the call that needs the card afterwards).
    Unpower,
    /// Eject where the reader can, else as [`Disposition::Unpower`].
    Eject,
}

/// A transmission protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// T=0, ISO 7816-3:2006, 10.
    T0,
    /// T=1, ISO 7816-3:2006, 11.
    T1,
    /// Bytes as they are, no protocol of ours.
    Raw,
}

/// A set of protocols that a caller accepts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Protocols {
    /// T=0 is accepted.
    pub t0: bool,
    /// T=1 is accepted.
    pub t1: bool,
    /// Raw is accepted.
    pub raw: bool,
}

impl Protocols {
    /// No protocol.
    pub const NONE: Self = Self { t0: false, t1: false, raw: false };
    /// T=0 or T=1, `SCARD_PROTOCOL_ANY`.
    pub const ANY: Self = Self { t0: true, t1: true, raw: false };

    /// Whether `protocol` is in the set.
    #[must_use]
    pub const fn contains(self, protocol: Protocol) -> bool {
        match protocol {
            Protocol::T0 => self.t0,
            Protocol::T1 => self.t1,
            Protocol::Raw => self.raw,
        }
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        !self.t0 && !self.t1 && !self.raw
    }

    /// The set with one more member.
    #[must_use]
    pub const fn with(mut self, protocol: Protocol) -> Self {
        match protocol {
            Protocol::T0 => self.t0 = true,
            Protocol::T1 => self.t1 = true,
            Protocol::Raw => self.raw = true,
        }
        self
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::T0 => "T=0",
            Self::T1 => "T=1",
            Self::Raw => "raw",
        })
    }
}

impl fmt::Debug for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = f.debug_set();
        for protocol in [Protocol::T0, Protocol::T1, Protocol::Raw] {
            if self.contains(protocol) {
                set.entry(&protocol);
            }
        }
        set.finish()
    }
}
