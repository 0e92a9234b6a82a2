use std::net::SocketAddr;
use std::time::Duration;

use scylla::cluster::KnownNode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use uuid::Uuid;

use super::stand_in::*;

async fn echo(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.split();
    let mut got = Vec::new();
    let write = async {
        to.write_all(bytes).await.unwrap();
        to.shutdown().await.unwrap();
    };
    let (_, read) = tokio::join!(write, from.read_to_end(&mut got));
    read.map(drop).unwrap_or_default(); // a connection too many is reset
    got
}

#[tokio::test]
async fn a_connection_goes_to_the_node_by_its_host_id() {
    let astra = Astra::start().await;
    let client = astra.open().await;
    assert_eq!(client.local_datacenter(), "dc1");
    let address = client.contact_points()[0];
    assert!(address.ip().is_loopback());
    // The first connection only looked whether there is a node.
    until(async || astra.names.lock().unwrap().len() == 1).await;

    let large: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for bytes in [&b"hello"[..], b"", &large] {
        assert!(echo(address, bytes).await == bytes);
    }
    assert_eq!(
        *astra.names.lock().unwrap(),
        [(); 4].map(|()| NODE.to_string())
    );
}

#[tokio::test]
async fn a_new_host_id_gets_a_tunnel_and_keeps_it() {
    let astra = Astra::start().await;
    let client = astra.open().await;
    let new = Uuid::from_u128(7);
    let address = client.tunnel(new).unwrap();
    assert_eq!(client.tunnel(new).unwrap(), address);
    assert_eq!(client.tunnel(NODE).unwrap(), client.contact_points()[0]);
    assert_ne!(address, client.contact_points()[0]);
    assert_eq!(echo(address, b"x").await, b"x");
    assert_eq!(
        *astra.names.lock().unwrap().last().unwrap(),
        new.to_string()
    );
}

#[tokio::test]
async fn tunnels_to_nodes_that_are_gone_are_closed() {
    let astra = Astra::start().await;
    let client = astra.open().await;
    let [gone, used, asked] = [7, 8, 9].map(Uuid::from_u128);
    let [gone_at, used_at] = [gone, used].map(|host_id| client.tunnel(host_id).unwrap());
    let mut open = TcpStream::connect(used_at).await.unwrap();
    open.write_all(b"x").await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), b'x');
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(59)).await;
    let asked_at = client.tunnel(asked).unwrap();
    assert_eq!(client.tunnel(gone).unwrap(), gone_at, "too early");

    tokio::time::advance(Duration::from_secs(59)).await;
    client.tunnel(asked).unwrap();
    tokio::time::advance(Duration::from_secs(2)).await;
    client.tunnel(Uuid::from_u128(10)).unwrap();
    tokio::time::resume();
    until(async || refused(gone_at).await).await;
    for address in [used_at, asked_at, client.contact_points()[0]] {
        assert_eq!(echo(address, b"x").await, b"x");
    }
    open.write_all(b"y").await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), b'y');
    // It comes back.
    let address = client.tunnel(gone).unwrap();
    assert_eq!(echo(address, b"x").await, b"x");
}

#[tokio::test]
async fn one_connection_too_many_is_closed() {
    let astra = Astra::start().await;
    let client = astra.open().await;
    let address = client.contact_points()[0];
    let mut open = Vec::new();
    for _ in 0..128 {
        open.push(TcpStream::connect(address).await.unwrap());
    }
    let mut none = TcpStream::connect(address).await.unwrap();
    assert!(!matches!(none.read(&mut [0; 8]).await, Ok(1..)));
    drop(open);
    until(async || echo(address, b"x").await == b"x").await;
}

#[tokio::test]
async fn a_connection_from_another_address_is_closed() {
    // The address that this machine would send from. No packet is sent.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let Ok(()) = socket.connect("192.0.2.1:9") else {
        return; // it has no other
    };
    let other = socket.local_addr().unwrap().ip();
    let astra = Astra::start().await;
    let client = astra.open().await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((other, 0).into()).unwrap();
    let address = client.contact_points()[0];
    let mut stream = socket.connect(address).await.unwrap();
    let _ = stream.write_all(b"x").await;
    assert!(!matches!(stream.read(&mut [0; 8]).await, Ok(1..)));
    assert_eq!(echo(address, b"x").await, b"x");
}

#[tokio::test]
async fn debug_output_has_no_key_and_no_host() {
    let astra = Astra::start().await;
    let client = astra.open().await;
    let address = client.contact_points()[0];
    let debug = format!("{client:?}");
    let expected =
        format!("SecureConnect {{ local_datacenter: \"dc1\", contact_points: [{address}], .. }}");
    assert_eq!(debug, expected);
}

#[tokio::test]
async fn a_session_builder_has_what_the_bundle_says_and_owns_the_tunnels() {
    let astra = Astra::start().await;
    let client = astra.open().await;
    let address = client.contact_points()[0];
    let builder = client.session_builder().user("token", "AstraCS:secret");
    assert_eq!(builder.config.known_nodes, [KnownNode::Address(address)]);
    assert!(builder.config.address_translator.is_some());
    // The stand-in echoes, so the driver finds no CQL there, in time and without a panic.
    let error = builder.build().await.unwrap_err().to_string();
    assert!(!error.contains("secret"), "{error}");
    assert_eq!(echo(address, b"x").await, b"x");
    drop(builder);
    until(async || refused(address).await).await;
}

#[tokio::test]
async fn connections_go_side_by_side() {
    let astra = Astra::start().await;
    let client = astra.open().await;
    let address = client.contact_points()[0];
    let slow = TcpStream::connect(address).await.unwrap();
    let echoes: Vec<_> = (0..20_u8)
        .map(|n| tokio::spawn(async move { echo(address, &[n; 10_000]).await }))
        .collect();
    for (echo, n) in echoes.into_iter().zip(0..) {
        assert!(echo.await.unwrap() == [n; 10_000]);
    }
    drop(slow);
    until(async || *astra.open.lock().unwrap() == 0).await;
}

#[tokio::test]
async fn a_broken_tunnel_ends_and_the_next_connection_makes_a_new_one() {
    let mut astra = Astra::start().await;
    let client = astra.open().await;
    let address = client.contact_points()[0];
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'x');

    let proxy = astra.proxy.take().unwrap();
    let port = proxy.port;
    drop(proxy);
    // An end, however abrupt.
    assert!(!matches!(stream.read(&mut [0; 8]).await, Ok(1..)));
    // Nobody there: the driver sees a connection that ends.
    until(async || refused(([127, 0, 0, 1], port).into()).await).await;
    let mut none = TcpStream::connect(address).await.unwrap();
    assert!(!matches!(none.read(&mut [0; 8]).await, Ok(1..)));
}

#[tokio::test]
async fn nothing_stays_behind() {
    let astra = Astra::start().await;
    let client = astra.open().await;
    let other = client.tunnel(Uuid::from_u128(7)).unwrap();
    let address = client.contact_points()[0];
    let mut open = TcpStream::connect(address).await.unwrap();
    open.write_all(b"x").await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), b'x');

    drop(client);
    assert!(!matches!(open.read(&mut [0; 8]).await, Ok(1..)));
    until(async || refused(address).await && refused(other).await).await;
    until(async || *astra.open.lock().unwrap() == 0).await;
    // The two servers of the stand-in are all that's left.
    let alive = tokio::runtime::Handle::current().metrics();
    until(async || alive.num_alive_tasks() == 2).await;
}
