//! Groups: requests that arrive while one group is carried out form the next one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// Carries out requests in groups.
///
/// A request waits for no timer: the first one is carried out at once, and what arrives meanwhile forms the next group.
/// There is no task in the background: one of the waiting callers leads each group. When its future is dropped its work is
/// dropped too, and the other callers of the group hand their requests in again.
#[derive(Debug)]
pub(crate) struct Groups<Q, A> {
    line: Arc<Line<Q, A>>,
    most: usize,
}

/// The queue of requests for the next groups.
#[derive(Debug)]
struct Line<Q, A>(Mutex<Waiting<Q, A>>);

#[derive(Debug)]
struct Waiting<Q, A> {
    requests: VecDeque<Handed<Q, A>>,
    is_led: bool,
}

/// A request that its caller handed in.
#[derive(Debug)]
struct Handed<Q, A> {
    request: Q,
    reply: oneshot::Sender<Reply<Q, A>>,
}

/// What becomes of a request that waits.
#[derive(Debug)]
enum Reply<Q, A> {
    /// Its group has ended.
    Ended(A),
    /// Its caller leads the next group, with its own request.
    Lead(Leadership<Q, A>, Q),
}

/// The right to carry out the next group. Dropping it hands it to the next waiting caller, so a leader that is dropped stops
/// nobody. It is empty after it was handed on.
#[derive(Debug)]
struct Leadership<Q, A>(Option<Arc<Line<Q, A>>>);

/// The answers of a group.
#[derive(Debug)]
pub(crate) struct Answers<A> {
    /// The answer to the leader's own request, which is the first.
    pub own: A,
    /// The answers to the others, in their order.
    pub others: Vec<A>,
}

impl<Q: Clone, A> Groups<Q, A> {
    /// Groups of at most `most` requests.
    pub fn of(most: usize) -> Self {
        let waiting = Waiting { requests: VecDeque::new(), is_led: false };
        Self { line: Arc::new(Line(Mutex::new(waiting))), most }
    }

    /// Carries out a request, with others that wait. `carry_out` is called if this caller leads, with its own request first.
    pub async fn ask<F>(&self, mut request: Q, carry_out: impl FnOnce(Vec<Q>) -> F) -> A
    where
        F: Future<Output = Answers<A>>,
    {
        let leadership = loop {
            match self.line.lead_or_wait(&request) {
                Ok(leadership) => break leadership,
                Err(reply) => match reply.await {
                    Ok(Reply::Ended(answer)) => return answer,
                    Ok(Reply::Lead(leadership, own)) => {
                        request = own;
                        break leadership;
                    }
                    // The leader was dropped, and its work with it.
                    Err(_) => {}
                },
            }
        };
        let (requests, replies): (Vec<Q>, Vec<_>) =
            self.line.next_group(self.most).into_iter().map(|handed| (handed.request, handed.reply)).unzip();
        let Answers { own, others } = carry_out(std::iter::once(request).chain(requests).collect()).await;
        drop(leadership);
        for (reply, answer) in replies.into_iter().zip(others) {
            // Whoever no longer waits was dropped.
            let _ = reply.send(Reply::Ended(answer));
        }
        own
    }
}

impl<Q: Clone, A> Line<Q, A> {
    /// Takes the leadership if no group is under way. Otherwise queues `request`, and returns the receiver of its reply.
    fn lead_or_wait(
        self: &Arc<Self>,
        request: &Q,
    ) -> std::result::Result<Leadership<Q, A>, oneshot::Receiver<Reply<Q, A>>> {
        let mut waiting = self.waiting();
        if !waiting.is_led {
            waiting.is_led = true;
            return Ok(Leadership(Some(Arc::clone(self))));
        }
        let (reply, replied) = oneshot::channel();
        waiting.requests.push_back(Handed { request: request.clone(), reply });
        Err(replied)
    }
}

impl<Q, A> Line<Q, A> {
    /// The requests of the next group beside the leader's own.
    fn next_group(&self, most: usize) -> Vec<Handed<Q, A>> {
        let mut waiting = self.waiting();
        let most = waiting.requests.len().min(most.saturating_sub(1));
        waiting.requests.drain(..most).collect()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting<Q, A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q, A> Drop for Leadership<Q, A> {
    fn drop(&mut self) {
        let Some(mut line) = self.0.take() else { return };
        loop {
            let next = line.waiting().hand_over();
            let Some(Handed { request, reply }) = next else { return };
            match reply.send(Reply::Lead(Self(Some(line)), request)) {
                // Its caller was dropped; the next one leads.
                Err(Reply::Lead(mut returned, _)) => match returned.0.take() {
                    Some(returned) => line = returned,
                    None => return,
                },
                Ok(()) | Err(Reply::Ended(_)) => return,
            }
        }
    }
}

impl<Q, A> Waiting<Q, A> {
    /// Removes the request whose caller leads next. Returns `None` if no request waits; the next caller then leads at once.
    fn hand_over(&mut self) -> Option<Handed<Q, A>> {
        let next = self.requests.pop_front();
        self.is_led = next.is_some();
        next
    }
}

/// One error as the result of `count` requests.
pub(crate) fn of_each<T>(error: Error, count: usize) -> Vec<Result<T>> {
    if count == 1 {
        return vec![Err(error)];
    }
    let error = Arc::new(error);
    (0..count).map(|_| Err(Error::OfGroup(Arc::clone(&error)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers each request with itself and the size of its group.
    async fn sized(requests: Vec<u32>) -> Answers<(u32, usize)> {
        tokio::task::yield_now().await;
        let count = requests.len();
        let mut answers = requests.into_iter().map(|request| (request, count));
        Answers { own: answers.next().unwrap(), others: answers.collect() }
    }

    #[tokio::test]
    async fn requests_that_arrive_while_a_group_is_carried_out_form_the_next_ones() {
        let groups = Groups::of(3);
        let answers = futures::future::join_all((0..6).map(|request| groups.ask(request, sized))).await;
        assert_eq!(answers, [(0, 1), (1, 3), (2, 3), (3, 3), (4, 2), (5, 2)]);
    }

    #[tokio::test]
    async fn a_leader_that_is_dropped_stops_nobody() {
        let groups = Groups::of(10);
        let mut dropped = Box::pin(groups.ask(0, sized));
        assert!(futures::poll!(&mut dropped).is_pending());
        let mut others: Vec<_> = (1..4).map(|request| Box::pin(groups.ask(request, sized))).collect();
        for other in &mut others {
            assert!(futures::poll!(other).is_pending());
        }
        drop(dropped);
        // The next one was to lead, and is dropped before it learns that.
        drop(others.remove(0));
        let answers = futures::future::join_all(others).await;
        assert_eq!(answers.iter().map(|answer| answer.0).collect::<Vec<_>>(), [2, 3]);
    }
}
