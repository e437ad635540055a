-- The figures of a run with one constant request, as JSON. Without a `request` function wrk runs at its full speed.
dofile(os.getenv("BENCH_COMMON"))

function done(summary, latency, requests)
  io.write(string.format(
    '{"sent":%d,"elapsedMs":%.3f,"incomplete":0,"ranOut":0,"status":%d,%s,"latencyUs":%s}\n',
    summary.requests, summary.duration / 1000, summary.errors.status, errorsJson(summary.errors), latencyJson(latency)))
end
