//! Windows' C ABI of smart cards for programs on Linux: `libwinscard.so.1`.
//!
//! The 46 `SCard*` calls of Windows as 74 functions (`A` and `W` where a call has text), `SCardState`,
//! `SCardDlgExtendedError` and three constants, in the shapes and numbers of Windows' `winscard.h`: `LONG` and `DWORD` of
//! 4 bytes. A program that was written against that header is compiled with ours and runs. It must not be mixed with
//! `libpcsclite.so.1` in one program: the two share names and no widths.
//!
//! Each file is one family of calls and is written once for both widths of text (`text::Unit`); `exports` gives them
//! their C names. What a program points at is reached through the types of `memory` alone, so the families are safe code.
//! What can be decided without the resource manager is decided in `text`, `atr`, `groups`, `types_of_cards` and
//! `features`, and tested there.
//!
//! The library lives in strangers' processes: see [`scard_guest`].
//!
//! What it does otherwise than Windows is marked `DIFFERS:`.
#![expect(non_snake_case, reason = "functions and parameters carry the names of Windows' headers")]
#![expect(unreachable_pub, reason = "what is public is called from C")]

#[macro_use]
mod exports;

mod aliases;
mod atr;
mod attributes;
mod audit;
mod blocks;
mod cache;
mod callbacks;
mod card_types;
mod connecting;
mod contexts;
mod control;
mod dialogs;
mod features;
mod groups;
mod information;
mod layouts;
mod locating;
mod memory;
mod readers;
mod refused;
mod started;
mod status;
mod status_change;
mod text;
mod transactions;
mod transmit;
mod types_of_cards;
