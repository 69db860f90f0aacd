//! The codes that `SCard*` functions return.

use core::fmt;

macro_rules! codes {
    ($($variant:ident = $low:literal, $name:literal, $text:literal;)*) => {
        /// Every `SCARD_*` code there is, without success. The low byte is the discriminant; facility and
        /// severity (`0x8010_00xx`) are the same in both C ABIs, except for [`ScardCode::UnsupportedFeature`]
        /// (see [`crate::abi`]).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ScardCode {
            $(
                #[doc = concat!("`", $name, "`: ", $text, ".")]
                $variant = $low,
            )*
        }

        impl ScardCode {
            /// All codes, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number as Windows writes it, `0x8010_00xx`.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $(Self::$variant => 0x8010_0000 | $low,)* }
            }

            /// The name in the C headers.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// A short text in plain words.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The code with that Windows number.
            #[must_use]
            pub const fn from_number(number: u32) -> Option<Self> {
                match number { $(n if n == 0x8010_0000 | $low => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    InternalError = 0x01, "SCARD_F_INTERNAL_ERROR", "an internal consistency check failed";
    Cancelled = 0x02, "SCARD_E_CANCELLED", "the wait was cancelled";
    InvalidHandle = 0x03, "SCARD_E_INVALID_HANDLE", "the handle or context is not valid";
    InvalidParameter = 0x04, "SCARD_E_INVALID_PARAMETER", "a parameter is not valid";
    InvalidTarget = 0x05, "SCARD_E_INVALID_TARGET", "registry start-up information is missing";
    NoMemory = 0x06, "SCARD_E_NO_MEMORY", "not enough memory or quota";
    WaitedTooLong = 0x07, "SCARD_F_WAITED_TOO_LONG", "an internal timer expired";
    InsufficientBuffer = 0x08, "SCARD_E_INSUFFICIENT_BUFFER", "the buffer is too small";
    UnknownReader = 0x09, "SCARD_E_UNKNOWN_READER", "no reader of that name";
    Timeout = 0x0A, "SCARD_E_TIMEOUT", "the time is over";
    SharingViolation = 0x0B, "SCARD_E_SHARING_VIOLATION", "somebody else holds the card";
    NoSmartcard = 0x0C, "SCARD_E_NO_SMARTCARD", "no card in the reader";
    UnknownCard = 0x0D, "SCARD_E_UNKNOWN_CARD", "no card type of that name";
    CantDispose = 0x0E, "SCARD_E_CANT_DISPOSE", "the card cannot be disposed of as asked";
    ProtocolMismatch = 0x0F, "SCARD_E_PROTO_MISMATCH", "the card does not speak that protocol";
    NotReady = 0x10, "SCARD_E_NOT_READY", "reader or card is not ready";
    InvalidValue = 0x11, "SCARD_E_INVALID_VALUE", "a value is not valid";
    SystemCancelled = 0x12, "SCARD_E_SYSTEM_CANCELLED", "the system ended the action";
    CommError = 0x13, "SCARD_F_COMM_ERROR", "communication failed";
    UnknownError = 0x14, "SCARD_F_UNKNOWN_ERROR", "an unknown error";
    InvalidAtr = 0x15, "SCARD_E_INVALID_ATR", "the answer to reset is not valid";
    NotTransacted = 0x16, "SCARD_E_NOT_TRANSACTED", "no transaction, or the exchange failed";
    ReaderUnavailable = 0x17, "SCARD_E_READER_UNAVAILABLE", "the reader is gone";
    Shutdown = 0x18, "SCARD_P_SHUTDOWN", "the operation was aborted to let the application leave";
    PciTooSmall = 0x19, "SCARD_E_PCI_TOO_SMALL", "the PCI buffer is too small";
    ReaderUnsupported = 0x1A, "SCARD_E_READER_UNSUPPORTED", "the reader's driver is not supported";
    DuplicateReader = 0x1B, "SCARD_E_DUPLICATE_READER", "a reader of that name exists";
    CardUnsupported = 0x1C, "SCARD_E_CARD_UNSUPPORTED", "the card is not supported";
    NoService = 0x1D, "SCARD_E_NO_SERVICE", "the resource manager is not running";
    ServiceStopped = 0x1E, "SCARD_E_SERVICE_STOPPED", "the resource manager has stopped";
    Unexpected = 0x1F, "SCARD_E_UNEXPECTED", "an unexpected error of the card";
    IccInstallation = 0x20, "SCARD_E_ICC_INSTALLATION", "no primary provider for the card";
    IccCreateOrder = 0x21, "SCARD_E_ICC_CREATEORDER", "the order of object creation is not supported";
    UnsupportedFeature = 0x22, "SCARD_E_UNSUPPORTED_FEATURE", "the card or reader does not support this feature";
    DirNotFound = 0x23, "SCARD_E_DIR_NOT_FOUND", "the directory is not on the card";
    FileNotFound = 0x24, "SCARD_E_FILE_NOT_FOUND", "the file is not on the card";
    NoDir = 0x25, "SCARD_E_NO_DIR", "the path is no directory on the card";
    NoFile = 0x26, "SCARD_E_NO_FILE", "the path is no file on the card";
    NoAccess = 0x27, "SCARD_E_NO_ACCESS", "access to the file is denied";
    WriteTooMany = 0x28, "SCARD_E_WRITE_TOO_MANY", "the card has no memory left";
    BadSeek = 0x29, "SCARD_E_BAD_SEEK", "a seek in a file of the card failed";
    InvalidChv = 0x2A, "SCARD_E_INVALID_CHV", "the PIN is not valid";
    UnknownResMng = 0x2B, "SCARD_E_UNKNOWN_RES_MNG", "an unknown error of a layered component";
    NoSuchCertificate = 0x2C, "SCARD_E_NO_SUCH_CERTIFICATE", "no such certificate";
    CertificateUnavailable = 0x2D, "SCARD_E_CERTIFICATE_UNAVAILABLE", "the certificate could not be had";
    NoReadersAvailable = 0x2E, "SCARD_E_NO_READERS_AVAILABLE", "no reader";
    CommDataLost = 0x2F, "SCARD_E_COMM_DATA_LOST", "data was lost on the way to the card";
    NoKeyContainer = 0x30, "SCARD_E_NO_KEY_CONTAINER", "no such key container";
    ServerTooBusy = 0x31, "SCARD_E_SERVER_TOO_BUSY", "the resource manager is too busy";
    PinCacheExpired = 0x32, "SCARD_E_PIN_CACHE_EXPIRED", "the PIN cache has expired";
    NoPinCache = 0x33, "SCARD_E_NO_PIN_CACHE", "the PIN cannot be cached";
    ReadOnlyCard = 0x34, "SCARD_E_READ_ONLY_CARD", "the card is read-only";
    UnsupportedCard = 0x65, "SCARD_W_UNSUPPORTED_CARD", "the reader cannot talk to the card";
    UnresponsiveCard = 0x66, "SCARD_W_UNRESPONSIVE_CARD", "the card does not answer to reset";
    UnpoweredCard = 0x67, "SCARD_W_UNPOWERED_CARD", "the card has no power";
    ResetCard = 0x68, "SCARD_W_RESET_CARD", "the card was reset";
    RemovedCard = 0x69, "SCARD_W_REMOVED_CARD", "the card was removed";
    SecurityViolation = 0x6A, "SCARD_W_SECURITY_VIOLATION", "access is denied";
    WrongChv = 0x6B, "SCARD_W_WRONG_CHV", "the PIN is wrong";
    ChvBlocked = 0x6C, "SCARD_W_CHV_BLOCKED", "the PIN is blocked";
    Eof = 0x6D, "SCARD_W_EOF", "the end of the file on the card is reached";
    CancelledByUser = 0x6E, "SCARD_W_CANCELLED_BY_USER", "the user cancelled";
    CardNotAuthenticated = 0x6F, "SCARD_W_CARD_NOT_AUTHENTICATED", "no PIN was given to the card";
    CacheItemNotFound = 0x70, "SCARD_W_CACHE_ITEM_NOT_FOUND", "the item is not in the cache";
    CacheItemStale = 0x71, "SCARD_W_CACHE_ITEM_STALE", "the item in the cache is stale";
    CacheItemTooBig = 0x72, "SCARD_W_CACHE_ITEM_TOO_BIG", "the item is too big for the cache";
}

impl fmt::Display for ScardCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text(), self.name())
    }
}

impl core::error::Error for ScardCode {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_codes_are_one_to_one() {
        for code in ScardCode::ALL {
            assert_eq!(ScardCode::from_number(code.number()), Some(*code));
        }
        assert_eq!(ScardCode::from_number(0), None);
        assert_eq!(ScardCode::Timeout.number(), 0x8010_000A);
    }
}
