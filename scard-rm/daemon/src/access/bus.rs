//! The system bus: a connection that is made when the first question comes, and kept.

use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;
use zbus::zvariant::{DynamicType, Type};
use zbus::{Connection, Error};

/// An object that can be asked.
pub(crate) struct Object<'a> {
    pub(crate) name: &'static str,
    pub(crate) path: &'a str,
    pub(crate) interface: &'static str,
}

/// The system bus.
#[derive(Default)]
pub(crate) struct Bus(Mutex<Option<Connection>>);

impl Bus {
    /// Calls a method. A connection that broke while nobody used it is made anew, once.
    ///
    /// # Errors
    /// What the bus or the object says.
    pub(crate) async fn call<A, R>(
        &self,
        object: &Object<'_>,
        method: &str,
        arguments: &A,
    ) -> Result<R, Error>
    where
        A: Serialize + DynamicType,
        R: DeserializeOwned + Type,
    {
        let (connection, is_old) = self.connection().await?;
        match call(&connection, object, method, arguments).await {
            Err(Error::InputOutput(_)) if is_old => {
                self.forget().await;
                let (connection, _) = self.connection().await?;
                call(&connection, object, method, arguments).await
            }
            answer => answer,
        }
    }

    /// The connection, and whether it has been there before.
    async fn connection(&self) -> Result<(Connection, bool), Error> {
        let mut kept = self.0.lock().await;
        if let Some(connection) = &*kept {
            return Ok((connection.clone(), true));
        }
        let connection = Connection::system().await?;
        *kept = Some(connection.clone());
        Ok((connection, false))
    }

    async fn forget(&self) {
        *self.0.lock().await = None;
    }
}

async fn call<A, R>(
    connection: &Connection,
    object: &Object<'_>,
    method: &str,
    arguments: &A,
) -> Result<R, Error>
where
    A: Serialize + DynamicType,
    R: DeserializeOwned + Type,
{
    let Object { name, path, interface } = *object;
    let answer =
        connection.call_method(Some(name), path, Some(interface), method, arguments).await?;
    answer.body().deserialize()
}
