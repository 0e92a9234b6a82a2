//! The connections of a door, from their acceptance to the shutdown. Each has a limit for its first request and for
//! idle time, and a full door makes room for new connections.
//!
//! A connection without a request costs a client nothing, so idle clients must not lock others out: if no place is
//! free, the connection that has been idle longest is closed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Maximum idle time between two requests.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// Duration after which a request loses its place if all places are taken by requests. Clients do not wait that long.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Interval between checks of a busy connection.
const LOOK: Duration = Duration::from_secs(5);
/// Pause after a failure to accept a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Number of open files for all doors together; also the maximum on macOS.
const FILES: u64 = 10_240;

/// Raises the limit of open files, for this process and its engines, to what the connections of all doors need.
pub fn allow_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(FILES, |maximum| maximum.min(FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        // If this fails, a door makes room earlier.
        let _raised = setrlimit(Resource::Nofile, limit);
    }
}

/// Accepts connections until `stop` is true, and runs `attend` for each of them. Then they have `farewell` to end by
/// themselves, and the rest is cut off.
pub async fn accept<F>(
    listener: TcpListener,
    places: Places,
    mut stop: watch::Receiver<bool>,
    farewell: Duration,
    attend: impl Fn(TcpStream, Arc<Place>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            // An error means that the sender is gone.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Ok((stream, _)) = accepted else {
            // Probably out of file descriptors: wait for a connection to end.
            places.make_room();
            sleep(PAUSE).await;
            continue;
        };
        let place = tokio::select! {
            place = places.take() => place,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        if let Some(place) = place
            && stream.set_nodelay(true).is_ok()
        {
            connections.spawn(attend(stream, Arc::new(place)));
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    let _ended = timeout(farewell, all_ended).await;
    connections.shutdown().await;
}

/// The places of one door. Clones are cheap.
#[derive(Clone)]
pub struct Places {
    inner: Arc<Inner>,
}

struct Inner {
    seats: Mutex<Seats>,
    limit: usize,
    first: Duration,
    freed: Notify,
}

#[derive(Default)]
struct Seats {
    next: u64,
    taken: HashMap<u64, Arc<Seat>>,
}

struct Seat {
    usage: Mutex<Use>,
    leave: Notify,
}

/// Current use of a connection.
#[derive(Clone, Copy)]
struct Use {
    /// Start of the current idle or busy period.
    since: Instant,
    requests: usize,
    /// True after the first request.
    served: bool,
    /// True if the connection has no limits any more.
    stays: bool,
}

impl Places {
    /// Creates `limit` places for connections that have to send their first request within `first`.
    pub fn new(limit: usize, first: Duration) -> Places {
        Places {
            inner: Arc::new(Inner {
                seats: Mutex::default(),
                limit,
                first,
                freed: Notify::new(),
            }),
        }
    }

    /// Returns a place if one is free or can be freed.
    fn try_take(&self) -> Option<Place> {
        if self.lock().taken.len() >= self.inner.limit && !self.make_room() {
            return None;
        }
        let seat = Arc::new(Seat {
            usage: Mutex::new(Use {
                since: Instant::now(),
                requests: 0,
                served: false,
                stays: false,
            }),
            leave: Notify::new(),
        });
        let mut seats = self.lock();
        let id = seats.next;
        seats.next += 1;
        seats.taken.insert(id, Arc::clone(&seat));
        Some(Place {
            places: self.clone(),
            id,
            seat,
        })
    }

    /// Returns a place; waits while all are taken by requests. `None` if all are taken by connections without limits.
    async fn take(&self) -> Option<Place> {
        loop {
            if self.is_full_for_good() {
                return None;
            }
            if let Some(place) = self.try_take() {
                return Some(place);
            }
            // Check again after a while, because a request may have exceeded its limit.
            let _freed = timeout(LOOK, self.inner.freed.notified()).await;
        }
    }

    /// Closes the most dispensable connection: the one that has been idle longest, or else the one with the oldest
    /// request that has exceeded its limit. Returns false if there is none.
    fn make_room(&self) -> bool {
        let mut seats = self.lock();
        let uses = seats.taken.iter().map(|(id, seat)| (*id, seat.now()));
        let may_go =
            |now: &Use| !now.stays && (now.requests == 0 || now.since.elapsed() >= REQUEST_LIMIT);
        let longest = uses
            .filter(|(_, now)| may_go(now))
            .min_by_key(|(_, now)| (now.requests > 0, now.since));
        let Some(seat) = longest.and_then(|(id, _)| seats.taken.remove(&id)) else {
            return false;
        };
        seat.leave.notify_one();
        true
    }

    fn is_full_for_good(&self) -> bool {
        let seats = self.lock();
        seats.taken.len() >= self.inner.limit && seats.taken.values().all(|seat| seat.now().stays)
    }

    fn lock(&self) -> MutexGuard<'_, Seats> {
        let seats = self.inner.seats.lock();
        seats.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn lock(&self) -> MutexGuard<'_, Use> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Use {
        *self.lock()
    }
}

/// The place of one connection. Dropping it frees the place.
pub struct Place {
    places: Places,
    id: u64,
    seat: Arc<Seat>,
}

impl Place {
    /// Registers a request until the returned value is dropped.
    pub fn request(&self) -> Request {
        let mut now = self.seat.lock();
        if now.requests == 0 {
            now.since = Instant::now();
        }
        now.requests += 1;
        now.served = true;
        Request(Arc::clone(&self.seat))
    }

    /// Removes all limits from the connection, because its client has logged in.
    pub fn stay(&self) {
        self.seat.lock().stays = true;
    }

    /// Waits until the connection has to end, because it was idle for too long or its place is needed.
    pub async fn is_over(&self) {
        while let Some(left) = self.left() {
            if timeout(left, self.seat.leave.notified()).await.is_ok() {
                return;
            }
        }
    }

    /// Returns the time until the next check; `None` if the limit has passed.
    fn left(&self) -> Option<Duration> {
        let now = self.seat.now();
        if now.stays || now.requests > 0 {
            return Some(LOOK);
        }
        let limit = if now.served {
            IDLE_LIMIT
        } else {
            self.places.inner.first
        };
        let left = limit.checked_sub(now.since.elapsed());
        left.filter(|left| !left.is_zero())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().taken.remove(&self.id);
        self.places.inner.freed.notify_one();
    }
}

/// A request in progress.
pub struct Request(Arc<Seat>);

impl Drop for Request {
    fn drop(&mut self) {
        let mut now = self.0.lock();
        now.requests = now.requests.saturating_sub(1);
        if now.requests == 0 {
            now.since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const LATE: Duration = Duration::from_secs(3600);

    #[tokio::test]
    async fn a_full_door_sends_the_longest_idle_connection_away() {
        let places = Places::new(3, LATE);
        let [idle, busy, used] = [(); 3].map(|()| places.try_take().unwrap());
        let request = busy.request();
        drop(used.request());
        let next = places.try_take().unwrap();
        idle.is_over().await;
        assert!(timeout(SOON, busy.is_over()).await.is_err());
        // A dropped place is not returned twice.
        drop(idle);
        next.stay();
        let last = places.try_take().unwrap();
        used.is_over().await;
        let _last = last.request();
        assert!(places.try_take().is_none());
        drop(request);
        assert!(places.try_take().is_some());
        busy.is_over().await;
    }

    #[tokio::test]
    async fn a_connection_has_so_long_for_its_first_request() {
        let places = Places::new(3, SOON);
        let [silent, served, logged_in] = [(); 3].map(|()| places.try_take().unwrap());
        drop(served.request());
        logged_in.stay();
        silent.is_over().await;
        let others = async { tokio::join!(served.is_over(), logged_in.is_over()) };
        assert!(timeout(SOON * 3, others).await.is_err());
    }

    #[tokio::test]
    async fn who_comes_to_a_door_full_of_requests_waits() {
        let places = Places::new(1, LATE);
        let place = places.take().await.unwrap();
        let request = place.request();
        assert!(timeout(SOON, places.take()).await.is_err());
        let both = async { tokio::join!(places.take(), async { drop((request, place)) }) };
        assert!(timeout(LATE, both).await.is_ok());
    }

    #[tokio::test]
    async fn a_door_full_of_logged_in_connections_has_no_place() {
        let places = Places::new(1, LATE);
        let place = places.take().await.unwrap();
        place.stay();
        assert!(places.take().await.is_none());
        drop(place);
        assert!(places.take().await.is_some());
    }
}
