//! Attribute tags of `SCardGetAttrib` (`SCARD_ATTR_*`): class in the high half, tag in the low half.

/// Vendor name, text with a NUL.
pub const VENDOR_NAME: u32 = 0x0001_0100;
/// Vendor's type of the reader, text with a NUL.
pub const VENDOR_IFD_TYPE: u32 = 0x0001_0101;
/// Version of the reader: `0xMMmmbbbb`, 4 bytes in host order.
pub const VENDOR_IFD_VERSION: u32 = 0x0001_0102;
/// Serial number of the reader, text with a NUL.
pub const VENDOR_IFD_SERIAL_NO: u32 = 0x0001_0103;
/// `0xDDDDCCCC`: kind of the channel and its number, 4 bytes in host order.
pub const CHANNEL_ID: u32 = 0x0002_0110;
/// Asynchronous protocols that the reader supports, 4 bytes in host order.
pub const ASYNC_PROTOCOL_TYPES: u32 = 0x0003_0120;
/// Default clock in kHz, 4 bytes in host order.
pub const DEFAULT_CLK: u32 = 0x0003_0121;
/// Maximum clock in kHz, 4 bytes in host order.
pub const MAX_CLK: u32 = 0x0003_0122;
/// Default data rate in bit/s, 4 bytes in host order.
pub const DEFAULT_DATA_RATE: u32 = 0x0003_0123;
/// Maximum data rate in bit/s, 4 bytes in host order.
pub const MAX_DATA_RATE: u32 = 0x0003_0124;
/// Maximum IFSD, 4 bytes in host order.
pub const MAX_IFSD: u32 = 0x0003_0125;
/// Protocol in use, 4 bytes in host order.
pub const CURRENT_PROTOCOL_TYPE: u32 = 0x0008_0201;
/// Card in the slot: 1 byte, 0 no, 1 yes but not swallowed, 2 yes.
pub const ICC_PRESENCE: u32 = 0x0009_0300;
/// Contacts active: 1 byte, 0 no, 1 yes.
pub const ICC_INTERFACE_STATUS: u32 = 0x0009_0301;
/// The answer to reset, 2 to 33 bytes.
pub const ATR_STRING: u32 = 0x0009_0303;
/// Kind of the card: 1 byte, 1 is ISO 7816 asynchronous.
pub const ICC_TYPE_PER_ATR: u32 = 0x0009_0304;
/// The longest APDU that the reader takes, 4 bytes in host order.
pub const MAXINPUT: u32 = 0x0007_A007;
/// Number of this reader among those of its kind, 4 bytes in host order.
pub const DEVICE_UNIT: u32 = 0x7FFF_0001;
/// Whether anybody has a handle, 4 bytes in host order.
pub const DEVICE_IN_USE: u32 = 0x7FFF_0002;
/// Name of the reader, text with a NUL.
pub const DEVICE_FRIENDLY_NAME_A: u32 = 0x7FFF_0003;
/// Name of the reader, text with a NUL.
pub const DEVICE_SYSTEM_NAME_A: u32 = 0x7FFF_0004;
/// Name of the reader, UTF-16LE with a NUL.
pub const DEVICE_FRIENDLY_NAME_W: u32 = 0x7FFF_0005;
/// Name of the reader, UTF-16LE with a NUL.
pub const DEVICE_SYSTEM_NAME_W: u32 = 0x7FFF_0006;
/// Do not negotiate the IFSD, written by old programs.
pub const SUPRESS_T1_IFS_REQUEST: u32 = 0x7FFF_0007;
