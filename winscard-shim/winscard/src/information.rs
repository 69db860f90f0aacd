//! What a reader is: `SCardGetDeviceTypeId`, `SCardGetReaderIcon`, `SCardGetReaderDeviceInstanceId`,
//! `SCardListReadersWithDeviceInstanceId`.

use scard_guest::tables;
use scard_types::ScardCode;
use scard_types::call::{Answer, Call, ReaderDevice};

use crate::aliases::devices;
use crate::contexts::ask;
use crate::layouts::{ContextNumber, Dword};
use crate::memory::{Buffer, Place, Plain, Text};
use crate::refused::Outcome;
use crate::text::{Unit, multi_string, string};

twins! {
    /// `SCardGetDeviceTypeId`.
    SCardGetDeviceTypeIdA, SCardGetDeviceTypeIdW = device_type(
        hContext: ContextNumber, szReaderName: Text<Char>, pdwDeviceTypeId: Place<Dword>,
    );
    /// `SCardGetReaderIcon`.
    SCardGetReaderIconA, SCardGetReaderIconW = icon(
        hContext: ContextNumber, szReaderName: Text<Char>, pbIcon: Buffer<u8>, pcbIcon: Place<Dword>,
    );
    /// `SCardGetReaderDeviceInstanceId`.
    SCardGetReaderDeviceInstanceIdA, SCardGetReaderDeviceInstanceIdW = instance_id(
        hContext: ContextNumber,
        szReaderName: Text<Char>,
        szDeviceInstanceId: Buffer<Char>,
        pcchDeviceInstanceId: Place<Dword>,
    );
    /// `SCardListReadersWithDeviceInstanceId`.
    SCardListReadersWithDeviceInstanceIdA, SCardListReadersWithDeviceInstanceIdW = readers_of_device(
        hContext: ContextNumber,
        szDeviceInstanceId: Text<Char>,
        mszReaders: Buffer<Char>,
        pcchReaders: Place<Dword>,
    );
}

fn device(context: ContextNumber, reader: &str) -> Result<ReaderDevice, ScardCode> {
    let mut devices = devices(&*tables::context(context)?)?.into_iter();
    devices.find(|device| device.name == reader).ok_or(ScardCode::UnknownReader)
}

fn device_type<C: Unit + Plain>(
    context: ContextNumber,
    reader: Text<C>,
    place: Place<Dword>,
) -> Outcome {
    place.required()?;
    place.put(device(context, &reader.required()?)?.device_type);
    Ok(())
}

fn icon<C: Unit + Plain>(
    context: ContextNumber,
    reader: Text<C>,
    buffer: Buffer<u8>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let reader = reader.required()?;
    let context = tables::context(context)?;
    match ask(&context, |context| Call::ReaderIcon { context, reader: reader.clone() })? {
        Answer::ReaderIcon(image) => Ok(buffer.fill(&count, &image)?),
        _ => Err(ScardCode::CommError.into()),
    }
}

fn instance_id<C: Unit + Plain>(
    context: ContextNumber,
    reader: Text<C>,
    buffer: Buffer<C>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let device = device(context, &reader.required()?)?;
    Ok(buffer.fill(&count, &string::<C>(&device.instance_id))?)
}

fn readers_of_device<C: Unit + Plain>(
    context: ContextNumber,
    id: Text<C>,
    buffer: Buffer<C>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let id = id.required()?;
    let devices = devices(&*tables::context(context)?)?;
    let readers: Vec<&String> = devices
        .iter()
        .filter(|device| device.instance_id == id)
        .map(|device| &device.name)
        .collect();
    if readers.is_empty() {
        return Err(ScardCode::NoReadersAvailable.into());
    }
    Ok(buffer.fill(&count, &multi_string::<C>(readers))?)
}
