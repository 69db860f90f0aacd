//! The card cache: `SCardReadCache`, `SCardWriteCache`.

use scard_guest::tables;
use scard_types::ScardCode;
use scard_types::cache::{CacheCall, MAX_ITEM_BYTES};
use scard_types::call::{Answer, Call};

use crate::contexts::ask;
use crate::layouts::{ContextNumber, Dword, GuidBytes, length};
use crate::memory::{Buffer, Input, Place, Plain, Text};
use crate::refused::Outcome;
use crate::text::Unit;

twins! {
    /// `SCardReadCache`.
    SCardReadCacheA, SCardReadCacheW = read(
        hContext: ContextNumber,
        CardIdentifier: Input<GuidBytes>,
        FreshnessCounter: Dword,
        LookupName: Text<Char>,
        Data: Buffer<u8>,
        DataLen: Place<Dword>,
    );
    /// `SCardWriteCache`.
    SCardWriteCacheA, SCardWriteCacheW = write(
        hContext: ContextNumber,
        CardIdentifier: Input<GuidBytes>,
        FreshnessCounter: Dword,
        LookupName: Text<Char>,
        Data: Input<u8>,
        DataLen: Dword,
    );
}

fn read<C: Unit + Plain>(
    context: ContextNumber,
    card: Input<GuidBytes>,
    freshness: Dword,
    name: Text<C>,
    buffer: Buffer<u8>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let card = card.guid().ok_or(ScardCode::InvalidParameter)?;
    let call = CacheCall::Read { card, freshness, name: name.required()? };
    let context = tables::context(context)?;
    match ask(&context, |context| Call::Cache { context, call: call.clone() })? {
        Answer::CacheItem(item) => Ok(buffer.fill(&count, &item)?),
        _ => Err(ScardCode::CommError.into()),
    }
}

fn write<C: Unit + Plain>(
    context: ContextNumber,
    card: Input<GuidBytes>,
    freshness: Dword,
    name: Text<C>,
    data: Input<u8>,
    count: Dword,
) -> Outcome {
    let card = card.guid().ok_or(ScardCode::InvalidParameter)?;
    let name = name.required()?;
    let context = tables::context(context)?;
    if count > length(MAX_ITEM_BYTES) {
        return Err(ScardCode::CacheItemTooBig.into());
    }
    let call = CacheCall::Write { card, freshness, name, item: data.all(count)? };
    ask(&context, |context| Call::Cache { context, call: call.clone() })?;
    Ok(())
}
