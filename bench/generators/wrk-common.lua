-- What the scripts for wrk share. Loaded by `dofile`, in the main state and in that of each thread.
local ffi = require("ffi")
ffi.cdef [[
  typedef struct { long sec; long nsec; } bench_time;
  int clock_gettime(int clock, bench_time *time);
]]
local CLOCK_MONOTONIC = 1
local time = ffi.new("bench_time")
-- Seconds.
function now()
  ffi.C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.sec) + tonumber(time.nsec) / 1e9
end

function readFile(name)
  local file = assert(io.open(name, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

-- Every `stride`-th of the tokens in a file, from `index` on; a zero byte is between two.
function readTokens(name, stride, index)
  local tokens, place = {}, 0
  for token in readFile(name):gmatch("[^%z]+") do
    if place % stride == index then tokens[#tokens + 1] = token end
    place = place + 1
  end
  return tokens
end

function latencyJson(latency)
  return string.format(
    '{"mean":%d,"p50":%d,"p90":%d,"p95":%d,"p99":%d,"p999":%d,"max":%d}',
    latency.mean, latency:percentile(50), latency:percentile(90), latency:percentile(95), latency:percentile(99),
    latency:percentile(99.9), latency.max)
end

-- Requests whose outcome is unknown, and connections that could not be opened.
function errorsJson(errors)
  return string.format(
    '"broken":%d,"failedConnects":%d', errors.read + errors.write + errors.timeout, errors.connect)
end

-- In the main state, for scripts with `sent`, `started`, `ended` and `ranout` in each thread.
threads = {}
function setup(thread)
  thread:set("index", #threads)
  table.insert(threads, thread)
end

-- Over all threads: what was sent, in how many milliseconds, and how many ran out of tokens.
function totals()
  local sent, first, last, ranout = 0, math.huge, 0, 0
  for _, thread in ipairs(threads) do
    sent = sent + thread:get("sent")
    first = math.min(first, thread:get("started"))
    last = math.max(last, thread:get("ended"))
    ranout = ranout + thread:get("ranout")
  end
  return sent, (last - first) * 1000, ranout
end
