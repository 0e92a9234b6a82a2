//! A listener on 127.0.0.1 per node. Every connection to it is forwarded to the node through the SNI proxy.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::server::Server;

/// The number of connections to a node. The driver opens two or three.
const MAX_CONNECTIONS: usize = 128;
/// Limit for one direction of a connection to continue after the other has ended.
const HALF_CLOSED_LIMIT: Duration = Duration::from_secs(10);
/// Limit for a tunnel without a connection.
const IDLE_LIMIT: Duration = Duration::from_secs(60);

/// A listener and its connections, which are closed when it is dropped.
pub(crate) struct Tunnel {
    pub address: SocketAddr,
    /// Time of the driver's last request for the address.
    pub used: Instant,
    free: Arc<Semaphore>,
    task: JoinHandle<()>,
}

impl Tunnel {
    pub fn open(proxy: Arc<Server>, host_id: Uuid) -> io::Result<Tunnel> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        Ok(Tunnel {
            address: listener.local_addr()?,
            used: Instant::now(),
            free: free.clone(),
            task: tokio::spawn(accept(listener, free, proxy, host_id)),
        })
    }

    pub fn is_idle(&self) -> bool {
        self.free.available_permits() == MAX_CONNECTIONS && self.used.elapsed() > IDLE_LIMIT
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, free: Arc<Semaphore>, proxy: Arc<Server>, host_id: Uuid) {
    let mut connections = JoinSet::new(); // aborted when dropped
    loop {
        let accepted = listener.accept().await;
        while connections.try_join_next().is_some() {}
        match (accepted, free.clone().try_acquire_owned()) {
            // A machine can be set up to route packets of other machines to 127.0.0.1.
            (Ok((driver, from)), Ok(permit)) if from.ip().is_loopback() => {
                let proxy = proxy.clone();
                connections.spawn(async move {
                    carry(driver, &proxy, host_id).await;
                    drop(permit);
                });
            }
            (Ok(_), _) => {} // from another machine, or one too many: closed here
            // Too many open files, for example, and no event tells when that is over.
            (Err(_), _) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Forwards one connection until it ends. Every error closes it, and the driver then opens another.
async fn carry(driver: TcpStream, proxy: &Server, host_id: Uuid) {
    let connected = proxy.connect(&host_id.to_string()).await;
    let (Ok(node), Ok(())) = (connected, driver.set_nodelay(true)) else {
        return;
    };
    let (from_driver, to_driver) = driver.into_split();
    let (from_node, to_node) = tokio::io::split(node);
    let (mut up, mut down) = (
        pin!(pass(from_driver, to_node)),
        pin!(pass(from_node, to_driver)),
    );
    // The second direction may have a few bytes left.
    let _ = tokio::select! {
        () = &mut up => timeout(HALF_CLOSED_LIMIT, down).await,
        () = &mut down => timeout(HALF_CLOSED_LIMIT, up).await,
    };
}

/// Copies one direction. An error ends it as the end of the stream does.
async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let _ = copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
}
