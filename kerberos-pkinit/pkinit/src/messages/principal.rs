//! `KRB5PrincipalName`, RFC 4556, 3.2.2: a principal in the alternative names of a certificate.

use krb5_words::der::{Reader, Result, Writer, context};
use krb5_words::{Principal, PrincipalName, Realm};

/// Reads it.
///
/// # Errors
/// [`krb5_words::der::DerError`].
pub fn read_principal(reader: &mut Reader<'_>) -> Result<Principal> {
    reader.sequence(|fields| {
        let realm = fields.within(context(0), Realm::read)?;
        Ok(Principal { realm, name: fields.within(context(1), PrincipalName::read)? })
    })
}

/// Writes it.
pub fn write_principal(principal: &Principal, writer: &mut Writer) {
    writer.sequence(|fields| {
        fields.within(context(0), |field| principal.realm.write(field));
        fields.within(context(1), |field| principal.name.write(field));
    });
}
