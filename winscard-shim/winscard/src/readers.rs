//! `SCardListReaders`, and the other names of readers: `SCardIntroduceReader`, `SCardForgetReader`.

use scard_types::ScardCode;
use scard_types::database::DatabaseCall;

use crate::contexts::{change_database, given_or_new};
use crate::groups::readers_in;
use crate::layouts::{ContextNumber, Dword};
use crate::memory::{Buffer, Place, Plain, Text};
use crate::refused::Outcome;
use crate::text::{Unit, multi_string};

twins! {
    /// `SCardListReaders`.
    SCardListReadersA, SCardListReadersW = list_readers(
        hContext: ContextNumber, mszGroups: Text<Char>, mszReaders: Buffer<Char>, pcchReaders: Place<Dword>,
    );
    /// `SCardIntroduceReader`.
    SCardIntroduceReaderA, SCardIntroduceReaderW = introduce_reader(
        hContext: ContextNumber, szReaderName: Text<Char>, szDeviceName: Text<Char>,
    );
    /// `SCardForgetReader`.
    SCardForgetReaderA, SCardForgetReaderW = forget_reader(
        hContext: ContextNumber, szReaderName: Text<Char>,
    );
}

fn list_readers<C: Unit + Plain>(
    context: ContextNumber,
    groups: Text<C>,
    buffer: Buffer<C>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let groups = match groups.list() {
        None if !groups.is_null() => return Err(ScardCode::InvalidParameter.into()),
        groups => groups,
    };
    let readers = readers_in(&*given_or_new(context)?, groups.as_deref())?;
    if readers.is_empty() {
        return Err(ScardCode::NoReadersAvailable.into());
    }
    Ok(buffer.fill(&count, &multi_string::<C>(readers))?)
}

fn introduce_reader<C: Unit + Plain>(
    context: ContextNumber,
    name: Text<C>,
    device: Text<C>,
) -> Outcome {
    let (name, device) = (name.required()?, device.required()?);
    change_database(context, &DatabaseCall::IntroduceReader { name, device })
}

fn forget_reader<C: Unit + Plain>(context: ContextNumber, name: Text<C>) -> Outcome {
    change_database(context, &DatabaseCall::ForgetReader { name: name.required()? })
}
