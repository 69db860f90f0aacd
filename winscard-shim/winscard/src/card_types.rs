//! The database of card types: `SCardListCards`, `SCardIntroduceCardType`, `SCardForgetCardType`, `SCardListInterfaces`,
//! `SCardGetProviderId`, `SCardGetCardTypeProviderName`, `SCardSetCardTypeProviderName`.

use scard_client::Context;
use scard_guest::tables;
use scard_types::ScardCode;
use scard_types::call::Answer;
use scard_types::database::{CardType, DatabaseCall, MAX_PATTERN_BYTES, Scope};

use crate::atr::announced_length;
use crate::contexts::{ask_database, change_database, given_or_new};
use crate::layouts::{ContextNumber, Dword, GuidBytes};
use crate::memory::{Buffer, Input, Place, Plain, Text};
use crate::refused::Outcome;
use crate::text::{Unit, multi_string, string};
use crate::types_of_cards::{matching, pattern, provider};

twins! {
    /// `SCardListCards`.
    SCardListCardsA, SCardListCardsW = list_cards(
        hContext: ContextNumber,
        pbAtr: Input<u8>,
        rgquidInterfaces: Input<GuidBytes>,
        cguidInterfaceCount: Dword,
        mszCards: Buffer<Char>,
        pcchCards: Place<Dword>,
    );
    /// `SCardIntroduceCardType`.
    SCardIntroduceCardTypeA, SCardIntroduceCardTypeW = introduce(
        hContext: ContextNumber,
        szCardName: Text<Char>,
        pguidPrimaryProvider: Input<GuidBytes>,
        rgguidInterfaces: Input<GuidBytes>,
        dwInterfaceCount: Dword,
        pbAtr: Input<u8>,
        pbAtrMask: Input<u8>,
        cbAtrLen: Dword,
    );
    /// `SCardForgetCardType`.
    SCardForgetCardTypeA, SCardForgetCardTypeW = forget(hContext: ContextNumber, szCardName: Text<Char>);
    /// `SCardListInterfaces`; the count is one of GUIDs.
    SCardListInterfacesA, SCardListInterfacesW = list_interfaces(
        hContext: ContextNumber,
        szCard: Text<Char>,
        pguidInterfaces: Buffer<GuidBytes>,
        pcguidInterfaces: Place<Dword>,
    );
    /// `SCardGetProviderId`.
    SCardGetProviderIdA, SCardGetProviderIdW = provider_id(
        hContext: ContextNumber, szCard: Text<Char>, pguidProviderId: Place<GuidBytes>,
    );
    /// `SCardGetCardTypeProviderName`.
    SCardGetCardTypeProviderNameA, SCardGetCardTypeProviderNameW = provider_name(
        hContext: ContextNumber,
        szCardName: Text<Char>,
        dwProviderId: Dword,
        szProvider: Buffer<Char>,
        pcchProvider: Place<Dword>,
    );
    /// `SCardSetCardTypeProviderName`.
    SCardSetCardTypeProviderNameA, SCardSetCardTypeProviderNameW = set_provider_name(
        hContext: ContextNumber, szCardName: Text<Char>, dwProviderId: Dword, szProvider: Text<Char>,
    );
}

/// The card types of these names, in that order; without names, all.
///
/// # Errors
/// [`ScardCode::UnknownCard`] for a name that nobody knows, and what else the resource manager says.
pub(crate) fn named(context: &Context, names: Vec<String>) -> Result<Vec<CardType>, ScardCode> {
    match ask_database(context, &DatabaseCall::CardTypes { names })? {
        Answer::CardTypes(types) => Ok(types),
        _ => Err(ScardCode::CommError),
    }
}

fn one(context: &Context, name: String) -> Result<CardType, ScardCode> {
    named(context, vec![name])?.into_iter().next().ok_or(ScardCode::UnknownCard)
}

/// An ATR of which the program does not say how long it is.
fn atr_of_itself(atr: Input<u8>) -> Result<Vec<u8>, ScardCode> {
    let byte = |at| atr.nth(at).unwrap_or_default();
    let length = announced_length(byte).ok_or(ScardCode::InvalidParameter)?;
    Ok((0..length).map(byte).collect())
}

fn list_cards<C: Unit + Plain>(
    context: ContextNumber,
    atr: Input<u8>,
    interfaces: Input<GuidBytes>,
    interface_count: Dword,
    buffer: Buffer<C>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let atr = if atr.is_null() { None } else { Some(atr_of_itself(atr)?) };
    let interfaces =
        if interfaces.is_null() { Vec::new() } else { interfaces.guids(interface_count)? };
    let types = named(&*given_or_new(context)?, Vec::new())?;
    let names = matching(&types, atr.as_deref(), &interfaces);
    Ok(buffer.fill(&count, &multi_string::<C>(names))?)
}

#[expect(clippy::too_many_arguments, reason = "the parameters of the C function")]
fn introduce<C: Unit + Plain>(
    context: ContextNumber,
    name: Text<C>,
    primary: Input<GuidBytes>,
    interfaces: Input<GuidBytes>,
    interface_count: Dword,
    atr: Input<u8>,
    mask: Input<u8>,
    length: Dword,
) -> Outcome {
    let name = name.required()?;
    if atr.is_null() || usize::try_from(length).map_or(true, |length| length > MAX_PATTERN_BYTES) {
        return Err(ScardCode::InvalidParameter.into());
    }
    let atr = if length == 0 { atr_of_itself(atr)? } else { atr.all(length)? };
    let mask =
        if mask.is_null() { None } else { Some(mask.all(crate::layouts::length(atr.len()))?) };
    let card_type = CardType {
        name,
        pattern: pattern(atr, mask)?,
        primary: primary.guid(),
        interfaces: interfaces.guids(interface_count)?,
        providers: Vec::new(),
        // Whose it becomes is decided by the scope of the context.
        scope: Scope::User,
    };
    change_database(context, &DatabaseCall::IntroduceCardType(card_type))
}

fn forget<C: Unit + Plain>(context: ContextNumber, name: Text<C>) -> Outcome {
    change_database(context, &DatabaseCall::ForgetCardType { name: name.required()? })
}

fn list_interfaces<C: Unit + Plain>(
    context: ContextNumber,
    card: Text<C>,
    buffer: Buffer<GuidBytes>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let card_type = one(&*tables::context(context)?, card.required()?)?;
    let interfaces: Vec<GuidBytes> = card_type.interfaces.iter().map(|guid| guid.0).collect();
    Ok(buffer.fill(&count, &interfaces)?)
}

fn provider_id<C: Unit + Plain>(
    context: ContextNumber,
    card: Text<C>,
    place: Place<GuidBytes>,
) -> Outcome {
    place.required()?;
    let card_type = one(&*tables::context(context)?, card.required()?)?;
    place.put(card_type.primary.ok_or(ScardCode::IccInstallation)?.0);
    Ok(())
}

fn provider_name<C: Unit + Plain>(
    context: ContextNumber,
    card: Text<C>,
    number: Dword,
    buffer: Buffer<C>,
    count: Place<Dword>,
) -> Outcome {
    count.required()?;
    let card = card.required()?;
    let card_type = one(&*given_or_new(context)?, card)?;
    Ok(buffer.fill(&count, &string::<C>(&provider(&card_type, number)?))?)
}

fn set_provider_name<C: Unit + Plain>(
    context: ContextNumber,
    card: Text<C>,
    provider: Dword,
    value: Text<C>,
) -> Outcome {
    let (name, value) = (card.required()?, value.required()?);
    let call = DatabaseCall::SetCardTypeProvider { name, provider, value };
    ask_database(&*given_or_new(context)?, &call)?;
    Ok(())
}
