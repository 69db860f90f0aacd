//! What a KDC says with an error: typed data, RFC 4120, 5.9.1, and the types of RFC 4556, 4, and RFC 8636, 3 and 4.

use krb5_words::der::{DerError, Reader, Result, Writer, context, implicit};

use crate::groups::Group;
use crate::signature::AlgorithmIdentifier;

/// One piece of typed data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypedData {
    /// What it is.
    pub data_type: i32,
    /// What it says.
    pub value: Vec<u8>,
}

impl TypedData {
    /// TD-TRUSTED-CERTIFIERS: whom the KDC trusts.
    pub const TRUSTED_CERTIFIERS: i32 = 104;
    /// TD-INVALID-CERTIFICATES: which of ours it does not believe.
    pub const INVALID_CERTIFICATES: i32 = 105;
    /// TD-DH-PARAMETERS: the groups that it takes, the best first.
    pub const DH_PARAMETERS: i32 = 109;
    /// TD-CMS-DATA-DIGEST-ALGORITHMS: the digests that it takes in a signature.
    pub const CMS_DIGEST_ALGORITHMS: i32 = 111;
    /// TD-CERT-DIGEST-ALGORITHMS: the digests that it takes in certificates.
    pub const CERTIFICATE_DIGEST_ALGORITHMS: i32 = 112;

    /// The value of the first piece of a type.
    #[must_use]
    pub fn find(list: &[Self], data_type: i32) -> Option<&[u8]> {
        list.iter().find(|data| data.data_type == data_type).map(|data| data.value.as_slice())
    }
}

/// Reads TYPED-DATA. A piece without a value has an empty one.
///
/// # Errors
/// [`DerError`].
pub fn read_typed_data(bytes: &[u8]) -> Result<Vec<TypedData>> {
    Reader::whole(bytes, |reader| {
        reader.sequence_of(|list| {
            list.sequence(|fields| {
                let data_type = fields.within(context(0), Reader::int32)?;
                let value =
                    fields.optional(context(1), |field| field.octets().map(<[u8]>::to_vec))?;
                Ok(TypedData { data_type, value: value.unwrap_or_default() })
            })
        })
    })
}

/// Writes TYPED-DATA, as a KDC does.
#[must_use]
pub fn write_typed_data(list: &[TypedData]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sequence_of(list, |list, data| {
        list.sequence(|fields| {
            fields.within(context(0), |field| field.integer(data.data_type));
            fields.within(context(1), |field| field.octets(&data.value));
        });
    });
    writer.into_bytes()
}

/// Reads TD-DH-PARAMETERS: the groups that we know, in the KDC's order.
///
/// # Errors
/// [`DerError`].
pub fn read_dh_parameters(bytes: &[u8]) -> Result<Vec<Group>> {
    let mut reader = Reader::new(bytes);
    let groups = reader.sequence_of(Group::read_algorithm)?;
    reader.end()?;
    Ok(groups.into_iter().flatten().collect())
}

/// Writes TD-DH-PARAMETERS, as a KDC does.
#[must_use]
pub fn write_dh_parameters(groups: &[Group]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.sequence_of(groups, |list, group| group.write_algorithm(list));
    writer.into_bytes()
}

/// Reads a list of algorithms (types 111 and 112): the contents of their object identifiers.
///
/// # Errors
/// [`DerError`].
pub fn read_algorithms(bytes: &[u8]) -> Result<Vec<Vec<u8>>> {
    Reader::whole(bytes, |reader| {
        reader.sequence_of(|list| Ok(AlgorithmIdentifier::read(list)?.oid.to_vec()))
    })
}

/// `ExternalPrincipalIdentifier`, RFC 4556, 3.2.1: a certificate, or whoever has it. All fields hold DER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExternalPrincipalIdentifier {
    /// Its subject, a Name.
    pub subject_name: Option<Vec<u8>>,
    /// Its issuer and number.
    pub issuer_and_serial_number: Option<Vec<u8>>,
    /// Its key.
    pub subject_key_identifier: Option<Vec<u8>>,
}

impl ExternalPrincipalIdentifier {
    /// Reads it.
    ///
    /// # Errors
    /// [`DerError`].
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.sequence(|fields| {
            let mut optional = |number| {
                let is_there = fields.peek() == Some(implicit(number));
                let value = is_there.then(|| fields.value(implicit(number)).map(<[u8]>::to_vec));
                value.transpose()
            };
            let read = Self {
                subject_name: optional(0)?,
                issuer_and_serial_number: optional(1)?,
                subject_key_identifier: optional(2)?,
            };
            fields.skip_extensions()?;
            Ok::<_, DerError>(read)
        })
    }

    /// Writes it.
    pub fn write(&self, writer: &mut Writer) {
        writer.sequence(|fields| {
            let all =
                [&self.subject_name, &self.issuer_and_serial_number, &self.subject_key_identifier];
            for (number, value) in (0..).zip(all) {
                if let Some(value) = value {
                    fields.element(implicit(number), value);
                }
            }
        });
    }
}

/// Reads TD-TRUSTED-CERTIFIERS or TD-INVALID-CERTIFICATES.
///
/// # Errors
/// [`DerError`].
pub fn read_identifiers(bytes: &[u8]) -> Result<Vec<ExternalPrincipalIdentifier>> {
    Reader::whole(bytes, |reader| reader.sequence_of(ExternalPrincipalIdentifier::read))
}
