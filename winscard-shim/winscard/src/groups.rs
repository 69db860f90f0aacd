//! Groups of readers, and which readers are in them.

use scard_client::Context;
use scard_types::ScardCode;
use scard_types::call::Answer;
use scard_types::database::{
    ALL_READERS, DEFAULT_READERS, DatabaseCall, MAX_NAME_BYTES, ReaderGroup,
};

use crate::aliases;
use crate::contexts::{ask_database, change_database, given_or_new, given_or_of_the_system};
use crate::layouts::{ContextNumber, Dword};
use crate::memory::{Buffer, Place, Plain, Text};
use crate::refused::Outcome;
use crate::text::{Unit, multi_string};

twins! {
    /// `SCardListReaderGroups`.
    SCardListReaderGroupsA, SCardListReaderGroupsW = list_reader_groups(
        hContext: ContextNumber, mszGroups: Buffer<Char>, pcchGroups: Place<Dword>,
    );
    /// `SCardIntroduceReaderGroup`.
    SCardIntroduceReaderGroupA, SCardIntroduceReaderGroupW = introduce_reader_group(
        hContext: ContextNumber, szGroupName: Text<Char>,
    );
    /// `SCardForgetReaderGroup`.
    SCardForgetReaderGroupA, SCardForgetReaderGroupW = forget_reader_group(
        hContext: ContextNumber, szGroupName: Text<Char>,
    );
    /// `SCardAddReaderToGroup`.
    SCardAddReaderToGroupA, SCardAddReaderToGroupW = add_reader_to_group(
        hContext: ContextNumber, szReaderName: Text<Char>, szGroupName: Text<Char>,
    );
    /// `SCardRemoveReaderFromGroup`.
    SCardRemoveReaderFromGroupA, SCardRemoveReaderFromGroupW = remove_reader_from_group(
        hContext: ContextNumber, szReaderName: Text<Char>, szGroupName: Text<Char>,
    );
}

fn list_reader_groups<C: Unit + Plain>(
    context: ContextNumber,
    buffer: Buffer<C>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let groups = groups(&*given_or_new(context)?)?;
    let list: Vec<C> = multi_string(groups.iter().map(|group| &group.name));
    Ok(buffer.fill(&count, &list)?)
}

/// Nothing is kept of a group until a reader joins it; the context and the name are looked at.
fn introduce_reader_group<C: Unit + Plain>(context: ContextNumber, group: Text<C>) -> Outcome {
    let group = group.required()?;
    if group.is_empty() || group.len() > MAX_NAME_BYTES || group.chars().any(char::is_control) {
        return Err(ScardCode::InvalidParameter.into());
    }
    given_or_of_the_system(context)?;
    Ok(())
}

fn forget_reader_group<C: Unit + Plain>(context: ContextNumber, group: Text<C>) -> Outcome {
    change_database(context, &DatabaseCall::ForgetReaderGroup { group: group.required()? })
}

fn add_reader_to_group<C: Unit + Plain>(
    context: ContextNumber,
    reader: Text<C>,
    group: Text<C>,
) -> Outcome {
    let (reader, group) = (reader.required()?, group.required()?);
    change_database(context, &DatabaseCall::AddReaderToGroup { reader, group })
}

fn remove_reader_from_group<C: Unit + Plain>(
    context: ContextNumber,
    reader: Text<C>,
    group: Text<C>,
) -> Outcome {
    let (reader, group) = (reader.required()?, group.required()?);
    change_database(context, &DatabaseCall::RemoveReaderFromGroup { reader, group })
}

/// The groups that have a reader. A stock pcscd has the one of all readers.
fn groups(context: &Context) -> Result<Vec<ReaderGroup>, ScardCode> {
    match ask_database(context, &DatabaseCall::ReaderGroups) {
        Ok(Answer::ReaderGroups(groups)) => Ok(groups),
        Ok(_) => Err(ScardCode::CommError),
        Err(ScardCode::UnsupportedFeature) => {
            let readers = aliases::own_names(context)?;
            Ok(vec![ReaderGroup { name: DEFAULT_READERS.into(), readers }])
        }
        Err(code) => Err(code),
    }
}

/// The readers in these groups, each name once; without groups, all.
pub(crate) fn readers_in(
    context: &Context,
    groups: Option<&[String]>,
) -> Result<Vec<String>, ScardCode> {
    let all = aliases::names(context)?;
    match groups {
        None => Ok(all),
        Some(wanted) if wanted.iter().any(|group| group == ALL_READERS) => Ok(all),
        Some(wanted) => Ok(chosen(all, wanted, &self::groups(context)?)),
    }
}

/// In the order of all; a group that nobody knows has no readers.
fn chosen(all: Vec<String>, wanted: &[String], groups: &[ReaderGroup]) -> Vec<String> {
    let is_in = |reader: &String| {
        groups.iter().any(|group| wanted.contains(&group.name) && group.readers.contains(reader))
    };
    all.into_iter().filter(is_in).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_of_several_groups_come_once_and_in_the_order_of_all() {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let group = |name: &str, readers: &[&str]| ReaderGroup {
            name: name.into(),
            readers: owned(readers),
        };
        let groups = [group("doors", &["b", "a"]), group("desks", &["b", "c"])];
        let all = || -> Vec<String> { owned(&["a", "b", "c", "d"]) };
        let in_groups = |wanted: &[&str]| {
            let wanted: Vec<String> = owned(wanted);
            chosen(all(), &wanted, &groups)
        };
        assert_eq!(in_groups(&["desks", "doors"]), ["a", "b", "c"]);
        assert_eq!(in_groups(&["nobody's", "doors"]), ["a", "b"]);
        assert_eq!(in_groups(&["nobody's"]), [""; 0]);
    }
}
