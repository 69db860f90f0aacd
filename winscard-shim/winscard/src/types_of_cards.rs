//! What is decided about card types in the program's process: which match, and who provides for them.

use scard_types::ScardCode;
use scard_types::database::{AtrPattern, CardType, Guid, PROVIDER_PRIMARY};

/// The names of the card types that an ATR belongs to and that have all interfaces; without an ATR, and without
/// interfaces, of all.
pub(crate) fn matching<'t>(
    types: &'t [CardType],
    atr: Option<&[u8]>,
    interfaces: &[Guid],
) -> Vec<&'t str> {
    let fits = |card_type: &&CardType| {
        atr.is_none_or(|atr| card_type.pattern.matches(atr))
            && interfaces.iter().all(|interface| card_type.interfaces.contains(interface))
    };
    types.iter().filter(fits).map(|card_type| card_type.name.as_str()).collect()
}

/// The name of a provider; that of the primary one is its GUID.
///
/// # Errors
/// [`ScardCode::IccInstallation`] if there is none.
pub(crate) fn provider(card_type: &CardType, number: u32) -> Result<String, ScardCode> {
    let named = card_type.providers.iter().find(|(other, _)| *other == number);
    let primary = card_type.primary.filter(|_| number == PROVIDER_PRIMARY);
    named
        .map(|(_, name)| name.clone())
        .or_else(|| primary.map(|guid| guid.to_string()))
        .ok_or(ScardCode::IccInstallation)
}

/// A pattern from the ATR and the mask of a program; without a mask every bit counts.
///
/// # Errors
/// [`ScardCode::InvalidParameter`] for one that no card could match.
pub(crate) fn pattern(atr: Vec<u8>, mask: Option<Vec<u8>>) -> Result<AtrPattern, ScardCode> {
    let mask = mask.unwrap_or_else(|| vec![0xFF; atr.len()]);
    AtrPattern::new(atr, mask).ok_or(ScardCode::InvalidParameter)
}

#[cfg(test)]
mod tests {
    use scard_types::database::Scope;

    use super::*;

    const ONE: Guid = Guid([1; 16]);
    const TWO: Guid = Guid([2; 16]);

    fn card_type(name: &str, atr: &[u8], interfaces: &[Guid]) -> CardType {
        CardType {
            name: name.into(),
            pattern: AtrPattern::exactly(atr).unwrap(),
            primary: Some(ONE),
            interfaces: interfaces.to_vec(),
            providers: vec![(3, "a key storage".into())],
            scope: Scope::User,
        }
    }

    #[test]
    fn a_type_is_listed_if_its_pattern_matches_and_it_has_every_interface() {
        let types = [
            card_type("a", &[0x3B, 0x00], &[ONE, TWO]),
            card_type("b", &[0x3B, 0x00], &[TWO]),
            card_type("c", &[0x3B, 0x01, 0x55], &[]),
        ];
        assert_eq!(matching(&types, None, &[]), ["a", "b", "c"]);
        assert_eq!(matching(&types, Some(&[0x3B, 0x00]), &[]), ["a", "b"]);
        assert_eq!(matching(&types, Some(&[0x3B, 0x00]), &[ONE, TWO]), ["a"]);
        assert_eq!(matching(&types, None, &[TWO]), ["a", "b"]);
        assert_eq!(matching(&types, Some(&[0x3F, 0x00]), &[]), [""; 0]);
    }

    #[test]
    fn the_primary_provider_is_named_by_its_guid() {
        let card_type = card_type("a", &[0x3B, 0x00], &[]);
        let guid = "{01010101-0101-0101-0101-010101010101}";
        assert_eq!(provider(&card_type, PROVIDER_PRIMARY).as_deref(), Ok(guid));
        assert_eq!(provider(&card_type, 3).as_deref(), Ok("a key storage"));
        assert_eq!(provider(&card_type, 2), Err(ScardCode::IccInstallation));
    }

    #[test]
    fn a_pattern_without_a_mask_is_exact() {
        assert_eq!(
            pattern(vec![0x3B, 0x00], None),
            Ok(AtrPattern::exactly(&[0x3B, 0x00]).unwrap())
        );
        let outside = pattern(vec![0x3B, 0x01], Some(vec![0xFF, 0x00]));
        assert_eq!(outside, Err(ScardCode::InvalidParameter));
    }
}
