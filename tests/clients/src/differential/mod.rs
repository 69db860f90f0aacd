//! The differential suite: the same calls on Debian's pcscd and on ours, answers compared call by call.
//!
//! A [history](history) is what several programs do one after the other; [`generator`] makes one from a seed. It is
//! [played](play) on all sides in step: the stock library and ours, on Debian's pcscd and on our daemon, each with the
//! very same cards. Where a side says something else than the stock library on pcscd, [`allowed`] has a row for it, which
//! is a row of docs/compat.md, or the suite fails and the history is made [shorter](shrink).

pub mod allowed;
mod book;
mod chance;
mod generator;
pub mod history;
pub mod play;
mod run;
mod shrink;
mod side;
mod table;

pub use play::{ALL, ON_OURS};
pub use run::{Order, Summary, replay, run};
