-- The figures of a run with one constant request, as JSON. Without a `request` function wrk runs at its full speed.
function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"sent":%d,"elapsedMs":%.3f,"incomplete":0,"ranOut":0,"status":%d,"broken":%d,' ..
    '"latencyUs":{"mean":%d,"p50":%d,"p90":%d,"p95":%d,"p99":%d,"p999":%d,"max":%d}}\n',
    summary.requests, summary.duration / 1000, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency.mean, latency:percentile(50), latency:percentile(90), latency:percentile(95), latency:percentile(99), latency:percentile(99.9), latency.max))
end
