//! Names: when two are the same (RFC 5280, 7.1), and which a CA may give (RFC 5280, 4.2.1.10).

use krb5_words::der::{OBJECT_IDENTIFIER, Reader, Result as DerResult, SET};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, NameConstraints, ParsedExtension};

const UTF8_STRING: u8 = 0x0C;
const PRINTABLE_STRING: u8 = 0x13;
const IA5_STRING: u8 = 0x16;
/// What stands for any of the three in a name that is compared.
const TEXT: u8 = UTF8_STRING;

/// One attribute of a name: its type, and its value in the form that is compared.
type Attribute = (Vec<u8>, u8, Vec<u8>);
/// A name: its parts in order, the attributes of each sorted.
type Name = Vec<Vec<Attribute>>;

/// Whether two names, as DER, are the same: the kind of string, case and the number of spaces do not count.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one == other
        || matches!((comparable(one), comparable(other)), (Ok(one), Ok(other)) if one == other)
}

fn comparable(der: &[u8]) -> DerResult<Name> {
    let mut reader = Reader::new(der);
    let name = reader.sequence_of(|parts| {
        parts.within(SET, |set| {
            let mut attributes = Vec::new();
            while !set.is_empty() {
                attributes.push(set.sequence(|attribute| {
                    let oid = attribute.value(OBJECT_IDENTIFIER)?.to_vec();
                    let (tag, value, _) = attribute.any()?;
                    let text = match tag {
                        UTF8_STRING | PRINTABLE_STRING | IA5_STRING => {
                            std::str::from_utf8(value).ok()
                        }
                        _ => None,
                    };
                    Ok(match text {
                        Some(text) => (oid, TEXT, folded(text)),
                        None => (oid, tag, value.to_vec()),
                    })
                })?);
            }
            attributes.sort();
            Ok(attributes)
        })
    })?;
    reader.end()?;
    Ok(name)
}

fn folded(text: &str) -> Vec<u8> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").into_bytes()
}

/// Whether a CA with these constraints may stand above a certificate with these names.
pub(super) fn are_allowed(
    certificate: &X509Certificate<'_>,
    constraints: &NameConstraints<'_>,
) -> bool {
    let mut names: Vec<GeneralName<'_>> = Vec::new();
    for extension in certificate.extensions() {
        if let ParsedExtension::SubjectAlternativeName(alternatives) = extension.parsed_extension()
        {
            names.extend(alternatives.general_names.iter().cloned());
        }
    }
    let subject = certificate.subject();
    if subject.iter().next().is_some() {
        names.push(GeneralName::DirectoryName(subject.clone()));
    }
    // Mail addresses of old stand in the subject only.
    if !names.iter().any(|name| matches!(name, GeneralName::RFC822Name(_))) {
        let mails = subject.iter_email().filter_map(|mail| mail.as_str().ok());
        names.extend(mails.map(GeneralName::RFC822Name));
    }
    let excluded = constraints.excluded_subtrees.as_deref().unwrap_or_default();
    let permitted = constraints.permitted_subtrees.as_deref().unwrap_or_default();
    names.iter().all(|name| {
        let is_excluded = excluded
            .iter()
            .any(|tree| matches!(within(name, &tree.base), Within::Yes | Within::Unknown));
        let mut of_kind = permitted
            .iter()
            .map(|tree| within(name, &tree.base))
            .filter(|answer| *answer != Within::OtherKind)
            .peekable();
        let is_free = of_kind.peek().is_none();
        !is_excluded && (is_free || of_kind.any(|answer| answer == Within::Yes))
    })
}

/// How a name stands to a subtree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Yes,
    No,
    /// The subtree is about other names.
    OtherKind,
    /// The subtree is about such names, and we do not understand it: neither permitted nor free.
    Unknown,
}

fn within(name: &GeneralName<'_>, base: &GeneralName<'_>) -> Within {
    let answer = match (name, base) {
        (GeneralName::DNSName(name), GeneralName::DNSName(base)) => is_host_within(name, base),
        (GeneralName::RFC822Name(name), GeneralName::RFC822Name(base)) => {
            is_mail_within(name, base)
        }
        (GeneralName::URI(name), GeneralName::URI(base)) => {
            host_of(name).is_some_and(|host| is_exact_or_dotted(host, base))
        }
        (GeneralName::DirectoryName(name), GeneralName::DirectoryName(base)) => {
            match (comparable(name.as_raw()), comparable(base.as_raw())) {
                (Ok(name), Ok(base)) => name.starts_with(&base),
                _ => return Within::Unknown,
            }
        }
        (GeneralName::IPAddress(name), GeneralName::IPAddress(base)) => {
            let Some((address, mask)) = base.split_at_checked(base.len() / 2) else {
                return Within::Unknown;
            };
            if !matches!(base.len(), 8 | 32) || !matches!(name.len(), 4 | 16) {
                return Within::Unknown;
            }
            name.len() == address.len()
                && name
                    .iter()
                    .zip(address)
                    .zip(mask)
                    .all(|((one, two), mask)| one & mask == two & mask)
        }
        (GeneralName::Invalid(..), _) | (_, GeneralName::Invalid(..)) => return Within::Unknown,
        (GeneralName::OtherName(name, _), GeneralName::OtherName(base, _)) if name != base => {
            return Within::OtherKind;
        }
        (one, other) if std::mem::discriminant(one) == std::mem::discriminant(other) => {
            return Within::Unknown;
        }
        _ => return Within::OtherKind,
    };
    if answer { Within::Yes } else { Within::No }
}

/// A host is within its own name and every name that it ends with.
fn is_host_within(name: &str, base: &str) -> bool {
    let (name, base) = (name.to_ascii_lowercase(), base.to_ascii_lowercase());
    match name.strip_suffix(&base) {
        Some(rest) => {
            rest.is_empty() || base.is_empty() || base.starts_with('.') || rest.ends_with('.')
        }
        None => false,
    }
}

/// With a dot in front a base means every host below it, without one that host alone.
fn is_exact_or_dotted(host: &str, base: &str) -> bool {
    let (host, base) = (host.to_ascii_lowercase(), base.to_ascii_lowercase());
    if base.starts_with('.') { host.ends_with(&base) } else { host == base }
}

fn is_mail_within(name: &str, base: &str) -> bool {
    let Some((local, host)) = name.rsplit_once('@') else { return false };
    match base.rsplit_once('@') {
        Some((base_local, base_host)) => {
            local == base_local && host.eq_ignore_ascii_case(base_host)
        }
        None => is_exact_or_dotted(host, base),
    }
}

fn host_of(uri: &str) -> Option<&str> {
    let authority = uri.split_once("://")?.1.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some(host.split_once(':').map_or(host, |(host, _)| host))
}
