//! ARM's gate: who calls, whether the bucket pays, what goes wrong on the way, and only then the operation.

use super::route::Route;
use super::{Azure, envelope, gateway, operations};
use crate::{CallFault, Delivery, Request, Response};

impl Azure {
    pub(super) fn arm(&mut self, request: &Request, request_id: &str, trusted: bool) -> Response {
        let mut response = self.gate(request, request_id, trusted);
        for header in ["x-ms-correlation-request-id", "x-ms-routing-request-id"] {
            let id = self.stamp.guid();
            response.headers.insert(header, id);
        }
        response
    }

    fn gate(&mut self, request: &Request, request_id: &str, trusted: bool) -> Response {
        let Some(route) = Route::of(request) else {
            self.counters.call("unknown");
            return envelope::arm(
                404,
                "InvalidResourceType",
                "The simulated Azure does not have this operation.",
            );
        };
        self.counters.call(route.name());
        if !trusted && let Err(refusal) = self.check_token(request) {
            return refusal;
        }
        let Some(api_version) = request.parameter("api-version").filter(|version| !version.is_empty()) else {
            let message = "The api-version query parameter (?api-version=) is required for all requests.";
            return envelope::arm(400, "MissingApiVersionParameter", message);
        };
        let paid = match self.pay(&route) {
            Ok(paid) => paid,
            Err(refusal) => return refusal,
        };
        let call_fault = self.next_call_fault(&route);
        let mut response = match call_fault {
            Some(call_fault) if !call_fault.is_after_effect() => self.call_fault_before(call_fault),
            _ if self.moved.contains(route.subscription()) => {
                let message = "The simulated subscription was moved to another tenant.";
                envelope::arm(404, "SubscriptionNotFound", message)
            }
            _ => operations::perform(self, &route, request, &api_version, request_id),
        };
        if let Some(call_fault) = call_fault.filter(|call_fault| call_fault.is_after_effect()) {
            response = self.call_fault_after(call_fault, response);
        }
        response.headers.entry(paid.header).or_insert_with(|| paid.left.to_string());
        response
    }

    /// What goes wrong with this call: what a test has set, else what the rates give.
    fn next_call_fault(&mut self, route: &Route) -> Option<CallFault> {
        let (faults, kind, starts) = (self.config.faults, route.kind(), route.starts());
        let site = route.app().and_then(|app| self.sites.get_mut(app));
        let call_fault = match site {
            Some(site) => {
                let script =
                    if starts { &mut site.script.call_faults } else { &mut site.script.read_call_faults };
                let set = script.pop_front();
                // Reads come as often as they like, so they must not move what befalls the app's backups.
                let rng = if starts { &mut site.rng } else { self.stamp.rng() };
                set.or_else(|| faults.draw_call_fault(kind, rng))
            }
            None => faults.draw_call_fault(kind, self.stamp.rng()),
        };
        if let Some(call_fault) = call_fault {
            self.counters.call_fault(call_fault);
        }
        call_fault
    }

    fn call_fault_before(&mut self, call_fault: CallFault) -> Response {
        match call_fault {
            CallFault::Throttle => self.provider_throttle(),
            CallFault::Conflict => self.conflict("Update"),
            CallFault::Refused => Response { delivery: Delivery::DroppedBefore, ..Response::new(503) },
            CallFault::GarbageBefore => gateway::page(200),
            CallFault::GatewayBefore => gateway::refusal(self.stamp.rng()),
            CallFault::OddForbidden => gateway::odd_forbidden(),
            CallFault::OddNotFound => gateway::odd_not_found(),
            _ => self.server_error(),
        }
    }

    fn call_fault_after(&mut self, call_fault: CallFault, response: Response) -> Response {
        let lost = u64::from(response.is_success() && call_fault.loses_answer());
        self.counters.lost_answers += lost;
        match call_fault {
            CallFault::Slow => {
                Response { delivery: Delivery::Delayed(self.config.pace.slow_answer), ..response }
            }
            CallFault::AnswerLost => Response { delivery: Delivery::LostAfterAccept, ..response },
            CallFault::GarbageAfter => gateway::page(200),
            CallFault::GatewayAfter => gateway::refusal(self.stamp.rng()),
            CallFault::UnreadableList => gateway::unreadable(response, self.stamp.rng()),
            _ => self.server_error(),
        }
    }

    fn server_error(&mut self) -> Response {
        let errors = [
            (500, "InternalServerError"),
            (502, "BadGateway"),
            (503, "ServiceUnavailable"),
            (504, "GatewayTimeout"),
        ];
        let (status, code) = errors[self.stamp.rng().usize(..errors.len())];
        envelope::arm(status, code, "The simulated Azure has stumbled.")
    }

    /// The provider's own limit, while ARM's header reports thousands of remaining reads (header from
    /// microsoft-365-agents-toolkit PR #1459; the body is invented).
    fn provider_throttle(&mut self) -> Response {
        self.counters.throttled_by_provider += 1;
        let rng = self.stamp.rng();
        let (left, retry_after) = (rng.u32(9_000..12_000), ["5", "5", "5", "5", "0", ""][rng.usize(..6)]);
        let response =
            envelope::web(429, "TooManyRequests", "00429", "This many requests are too many for the site.")
                .with_header("x-powered-by", "ASP.NET")
                .with_header("x-ms-ratelimit-remaining-subscription-reads", left.to_string());
        if retry_after.is_empty() { response } else { response.with_header("retry-after", retry_after) }
    }

    /// 409 in the shape and the words of Azure/azure-sdk-for-java #1827 and vscode-azureappservice #915, by which tools know
    /// it. No source shows one that a backup received.
    pub(super) fn conflict(&mut self, under_way: &str) -> Response {
        self.counters.conflicts += 1;
        let (id, since) = (self.stamp.guid(), self.now.format("%-m/%-d/%Y %-I:%M:%S %p"));
        let message = format!(
            "Cannot modify this site because another operation is in progress. Details: Id: {id}, OperationName: \
             {under_way}, CreatedTime: {since}, WebSystemName: websites, GeoOperationId: (null)"
        );
        envelope::web(409, "Conflict", "59203", &message)
    }
}
