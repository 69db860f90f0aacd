//! The resource manager as one pure machine: an [`Event`] and the time go in, [`Action`]s and the next deadline come out.
//!
//! No lock, no thread, no clock, no socket and no driver in here. The daemon feeds it and carries out what it says.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod event;

pub use event::{
    Action, ClientId, DropReason, Event, JobId, Push, ReaderId, ReaderNaming, RequestId, Wire,
    Work, WorkDone,
};
