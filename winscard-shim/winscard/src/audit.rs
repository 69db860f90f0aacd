//! `SCardAudit`: what the caller claims to have seen of a PIN.

use scard_guest::tables;
use scard_types::ScardCode;
use scard_types::call::Call;

use crate::contexts::ask;
use crate::layouts::{ContextNumber, Dword};
use crate::refused::Outcome;

/// `SCARD_AUDIT_CHV_SUCCESS`, the last event that there is.
const LAST_EVENT: u32 = 1;

exports! {
    /// `SCardAudit`.
    SCardAudit = audit(hContext: ContextNumber, dwEvent: Dword);
}

fn audit(context: ContextNumber, event: Dword) -> Outcome {
    let context = tables::context(context)?;
    if event > LAST_EVENT {
        return Err(ScardCode::InvalidParameter.into());
    }
    ask(&context, |context| Call::Audit { context, event })?;
    Ok(())
}
