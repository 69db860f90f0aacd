//! What the application says of itself when it is selected, SP 800-73-4 part 2, table 3.

use scard_types::tlv;

use crate::Malformation;

/// PIX of PIV, version left out.
const PIX: [u8; 4] = [0x00, 0x00, 0x10, 0x00];
/// NIST's RID, which early cards put before the PIX.
const RID: [u8; 5] = [0xA0, 0x00, 0x00, 0x03, 0x08];

/// What the application says of itself when it is selected.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Application {
    /// Its label, where it has one.
    pub label: Option<String>,
    /// Where to read more about it, where it says so.
    pub url: Option<String>,
    /// The algorithm identifiers that it claims to know; empty where it claims nothing.
    pub algorithms: Vec<u8>,
}

impl Application {
    pub(super) fn parse(answer: &[u8]) -> Result<Self, Malformation> {
        let (template, _) = tlv::Tlv::read(answer).map_err(Malformation::Tlv)?;
        if template.tag != 0x61 {
            return Err(Malformation::Missing { tag: 0x61 });
        }
        let mut application = Self::default();
        let mut is_piv = None;
        for element in tlv::elements(template.value) {
            let element = element.map_err(Malformation::Tlv)?;
            match element.tag {
                0x4F => {
                    let pix = element.value.strip_prefix(&RID).unwrap_or(element.value);
                    is_piv = Some(pix.starts_with(&PIX));
                }
                0x50 => application.label = Some(text(element.value)),
                0x5F50 => application.url = Some(text(element.value)),
                0xAC => application.algorithms.extend(
                    tlv::elements(element.value)
                        .map_while(Result::ok)
                        .filter(|inner| inner.tag == 0x80)
                        .flat_map(|inner| inner.value.iter().copied()),
                ),
                _ => {}
            }
        }
        match is_piv {
            Some(true) => Ok(application),
            Some(false) => Err(Malformation::NotPiv),
            None => Err(Malformation::Missing { tag: 0x4F }),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
