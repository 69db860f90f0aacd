//! The names of readers: each has one of its own, and those that somebody gave it.

use scard_client::Context;
use scard_types::ScardCode;
use scard_types::call::{Answer, Call, ReaderDevice};

use crate::contexts::ask;

/// The devices behind all names of readers; each reader's own name comes first.
pub(crate) fn devices(context: &Context) -> Result<Vec<ReaderDevice>, ScardCode> {
    match ask(context, |context| Call::ReaderDevices { context })? {
        Answer::ReaderDevices(devices) => Ok(devices),
        _ => Err(ScardCode::CommError),
    }
}

/// All names of all readers. A stock pcscd knows their own only.
pub(crate) fn names(context: &Context) -> Result<Vec<String>, ScardCode> {
    match devices(context) {
        Ok(devices) => Ok(devices.into_iter().map(|device| device.name).collect()),
        Err(ScardCode::UnsupportedFeature) => own_names(context),
        Err(code) => Err(code),
    }
}

/// The own names of all readers.
pub(crate) fn own_names(context: &Context) -> Result<Vec<String>, ScardCode> {
    Ok(context.readers()?.iter().map(|name| name.as_str().to_owned()).collect())
}

/// The names of one reader among those of all, its own first.
pub(crate) fn names_of(reader: &str, all: &[String], own: &[String]) -> Vec<String> {
    let others = all.iter().skip_while(|name| *name != reader).skip(1);
    let given = others.take_while(|name| !own.contains(name)).cloned();
    [reader.to_owned()].into_iter().chain(given).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_has_the_names_between_its_own_and_the_next_ones_own() {
        let all = ["one", "left", "door", "two", "right"].map(str::to_owned);
        let own = ["one", "two"].map(str::to_owned);
        assert_eq!(names_of("one", &all, &own), ["one", "left", "door"]);
        assert_eq!(names_of("two", &all, &own), ["two", "right"]);
        assert_eq!(names_of("gone", &all, &own), ["gone"]);
    }
}
