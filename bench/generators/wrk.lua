-- Closed-loop load of variable requests for wrk. Settings come from the environment, see wrk.ts.
--
-- At the end of a run wrk closes its connections, and nobody could say what became of the requests under way. So when
-- the time is over (or the tokens are used up) each connection is parked instead: it sends one request that the server
-- answers much later. A connection sends only after its last answer, so once all are parked, everything was answered.
-- Which one sends is not known here, so one that parks later than `parkedSeconds` after the first, perhaps for the
-- second time, is not counted: the run fails.
-- Only `request` is defined, not `response`: looking at each response would cost wrk a third of its speed.
dofile(os.getenv("BENCH_COMMON"))
local now, readFile = now, readFile

-- From here on in each thread's own state.
local stride = tonumber(os.getenv("BENCH_THREADS"))
local connections = tonumber(os.getenv("BENCH_THREAD_CONNECTIONS"))
local seconds = tonumber(os.getenv("BENCH_SECONDS"))
local from = tonumber(os.getenv("BENCH_COUNT_FROM"))
local again = os.getenv("BENCH_AGAIN") == "1"
local pieces, tokens, parking = {}, nil, nil
local a, b, c, d, e
local deadline, firstParked = nil, nil
local verified = true
-- Less than the 2 s after which a parked request is answered.
local parkedSeconds = 1.9
sent, parked, started, ended, ranout = 0, 0, 0, 0, 0

function init(args)
  for piece in (readFile(os.getenv("BENCH_PIECES")) .. "\0"):gmatch("(.-)%z") do table.insert(pieces, piece) end
  a, b, c, d, e = unpack(pieces)
  assert(#pieces >= 2 and #pieces <= 5, "2 to 5 pieces")
  parking = readFile(os.getenv("BENCH_PARKING"))
  if not from then tokens = readTokens(os.getenv("BENCH_TOKENS"), stride, index) end
  -- wrk asks the first thread for one request before the start, to look at it.
  verified = index ~= 0
end

local function nextToken()
  if from then return string.format("%012d", from + sent * stride + index) end
  if again then return tokens[sent % #tokens + 1] end
  return tokens[sent + 1]
end

function request()
  if not verified then
    verified = true
    return parking
  end
  local clock = now()
  if not deadline then
    deadline = clock + seconds
    started = clock
    io.stderr:write("started\n")
  end
  local token = clock < deadline and nextToken() or nil
  if not token then
    if not firstParked then
      firstParked = clock
      if clock < deadline then ranout = 1 end
    end
    if clock - firstParked > parkedSeconds then return parking end
    parked = parked + 1
    ended = clock
    if parked == connections then
      io.stderr:write("parked\n")
      wrk.thread:stop()
    end
    return parking
  end
  sent = sent + 1
  if not d then
    if not c then return a .. token .. b end
    return a .. token .. b .. token .. c
  end
  if not e then return a .. token .. b .. token .. c .. token .. d end
  return a .. token .. b .. token .. c .. token .. d .. token .. e
end

function done(summary, latency, requests)
  local sent, elapsedMs, ranout = totals()
  local incomplete = 0
  for _, thread in ipairs(threads) do
    if thread:get("parked") ~= connections then incomplete = incomplete + 1 end
  end
  io.write(string.format(
    '{"sent":%d,"elapsedMs":%.3f,"incomplete":%d,"ranOut":%d,"status":%d,%s,"latencyUs":%s}\n',
    sent, elapsedMs, incomplete, ranout, summary.errors.status, errorsJson(summary.errors), latencyJson(latency)))
end
