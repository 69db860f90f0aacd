//! BER-TLV as a tree, with the names that the PIV standard gives to tags.

mod names;

use std::io::{self, Write};

use scard_types::tlv::{self, MAX_DEPTH, Tlv};
use serde::Serialize;

use crate::hex;
use crate::output::{STRONG, WEAK};

/// The most bytes of a value that people are shown; programs get all of them.
const SHOWN_BYTES: usize = 32;

/// One element.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Node {
    /// The tag in hexadecimal.
    tag: String,
    /// What it is called here.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    /// The length of the value.
    bytes: usize,
    /// The value, of an element without inner ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// The same as text, if it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The inner elements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    children: Vec<Self>,
}

/// Reads the answer to a command as BER-TLV; `None` if it is none from its first to its last byte.
///
/// `object` is the tag of the data object that the command asked for: names depend on it.
#[must_use]
pub(crate) fn read(answer: &[u8], object: Option<u32>) -> Option<Vec<Node>> {
    nodes(answer, object.unwrap_or(0), 0)
}

/// The data object that a GET DATA command asks for.
#[must_use]
pub(crate) fn object_asked_for(command: &[u8]) -> Option<u32> {
    let (&[cla, 0xCB, 0x3F, 0xFF, _lc], data) = command.split_first_chunk::<5>()? else {
        return None;
    };
    let list = tlv::find(data, 0x5C)?;
    let is_interindustry = cla & 0x80 == 0;
    (is_interindustry && !list.is_empty() && list.len() <= 3)
        .then(|| list.iter().fold(0, |tag, byte| tag << 8 | u32::from(*byte)))
}

fn nodes(content: &[u8], inside: u32, depth: usize) -> Option<Vec<Node>> {
    if content.is_empty() || depth >= MAX_DEPTH {
        return None;
    }
    tlv::elements(content)
        .map(|element| match element {
            Ok(element) if element.tag != 0 => Some(node(&element, inside, depth)),
            _ => None,
        })
        .collect()
}

fn node(element: &Tlv<'_>, inside: u32, depth: usize) -> Node {
    let Tlv { tag, value } = *element;
    // 53 is the template around a data object: what stands inside is named after the object.
    let scope = if tag == 0x53 { inside } else { tag };
    let may_hold_more = tag == 0x53 || (element.is_constructed() && !names::is_opaque(tag));
    let children = if may_hold_more { nodes(value, scope, depth.saturating_add(1)) } else { None };
    Node {
        tag: format!("{tag:02X}"),
        name: names::name(tag, inside),
        bytes: value.len(),
        value: children.is_none().then(|| hex::spaced(value)),
        text: if children.is_none() { text(value) } else { None },
        children: children.unwrap_or_default(),
    }
}

fn text(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let is_text = text.len() > 1 && text.chars().all(|c| !c.is_control());
    is_text.then(|| text.to_owned())
}

/// Writes the tree, indented by `indent` blanks and by two for each level.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write(nodes: &[Node], indent: usize, out: &mut dyn Write) -> io::Result<()> {
    for node in nodes {
        write!(out, "{:indent$}{STRONG}{}{STRONG:#}", "", node.tag)?;
        if let Some(name) = node.name {
            write!(out, " {name}")?;
        }
        match (&node.text, &node.value) {
            (Some(text), _) => write!(out, " {WEAK}{text:?}{WEAK:#}")?,
            (None, Some(value)) if node.bytes > SHOWN_BYTES => {
                let shown = value.get(..SHOWN_BYTES.saturating_mul(3)).unwrap_or(value);
                write!(out, " {WEAK}{shown}... ({} bytes){WEAK:#}", node.bytes)?;
            }
            (None, Some(value)) if node.bytes > 0 => write!(out, " {WEAK}{value}{WEAK:#}")?,
            (None, Some(_)) => write!(out, " {WEAK}(empty){WEAK:#}")?,
            (None, None) => {}
        }
        writeln!(out)?;
        write(&node.children, indent.saturating_add(2), out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(object: Option<u32>, answer: &str, expected: &str) {
        let nodes = read(&hex::parse(answer).unwrap(), object).unwrap();
        let mut out = Vec::new();
        write(&nodes, 0, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), expected);
    }

    #[test]
    fn the_application_template_is_named() {
        check(
            None,
            "61114F0600001000010079074F05A000000308",
            "\
61 application property template
  4F application identifier 00 00 10 00 01 00
  79 coexistent tag allocation authority
    4F application identifier A0 00 00 03 08
",
        );
    }

    #[test]
    fn the_same_tag_has_the_name_of_its_object() {
        check(
            Some(0x5F_C102),
            "531334100011223344556677 8899AABBCCDDEEFF3E00"
                .replace(' ', "")
                .replace("5313", "5314")
                .as_str(),
            "\
53 data object
  34 GUID 00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF
  3E issuer's signature (empty)
",
        );
        check(
            Some(0x5F_C105),
            "5309 7002 3000 7101 00 FE00",
            "\
53 data object
  70 certificate 30 00
  71 certificate information 00
  FE error detection code (empty)
",
        );
    }

    #[test]
    fn what_is_no_tlv_to_its_last_byte_has_no_tree() {
        for answer in [&[][..], &[0x61], &[0x61, 0x02, 0x00], &[0x00, 0x00], &[0x53, 0x00, 0x12]] {
            assert_eq!(read(answer, None), None, "{answer:02X?}");
        }
    }

    #[test]
    fn a_template_whose_content_is_no_tlv_is_a_leaf() {
        check(None, "5303000102", "53 data object 00 01 02\n");
    }

    #[test]
    fn nesting_ends_at_a_depth() {
        let mut bytes = vec![0x04, 0x00];
        for _ in 0..100 {
            bytes = tlv::element(0x30, &bytes);
        }
        assert!(read(&bytes, None).is_some());
    }

    #[test]
    fn the_object_asked_for_is_read_from_the_command() {
        let command = |text| hex::parse(text).unwrap();
        assert_eq!(object_asked_for(&command("00CB3FFF055C035FC10500")), Some(0x5F_C105));
        assert_eq!(object_asked_for(&command("00CB3FFF035C017E00")), Some(0x7E));
        assert_eq!(object_asked_for(&command("00CB3FFF00")), None);
        assert_eq!(object_asked_for(&command("00A4040000")), None);
    }
}
