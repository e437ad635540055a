-- Closed-loop load of several kinds of requests for wrk: steps in turn, ids of answers used in later requests, and
-- answers counted by their step. The plan is a Lua table in a file, see wrk-plan.ts.
--
-- `response` costs wrk a third of its speed, and is the only place where an answer can be looked at. It does not say
-- which request was answered, so a step is known by what its answers begin with.
--
-- When the time is over (or tokens are used up) a connection that is answered sends the parking request, which the server
-- answers much later, and which is not counted. Once there are as many answers as requests, nothing is in doubt.
dofile(os.getenv("BENCH_COMMON"))
local plan = dofile(os.getenv("BENCH_PLAN"))
local now, sub = now, string.sub
local steps, order, parking = plan.steps, plan.order, plan.parking

-- From here on in each thread's own state. What `done` asks for is global.
local ok, refused, answered, place = {}, 0, 0, 0
local deadline = nil
local verified, isOver = true, false
-- Ids of answers, oldest first: taken from one list, added to the other.
local taken, ids, fresh = 0, {}, {}
sent, started, ended, ranout, counts = 0, 0, 0, 0, nil

local function nextId()
  if taken == #ids then
    taken, ids, fresh = 0, fresh, {}
    if #ids == 0 then return nil end
  end
  taken = taken + 1
  return ids[taken]
end

-- What makes the requests of a step: nil when there is no token.
local makers = {}
function makers.none(step)
  local request = step.pieces[1]
  return function() return request end
end
function makers.count(step)
  local at, pieces = step.from + index, step.pieces
  return function()
    local token = string.format("%012d", at)
    at = at + plan.threads
    return table.concat(pieces, token)
  end
end
function makers.file(step)
  local tokens, pieces, at = readTokens(step.file, plan.threads, index), step.pieces, 0
  return function()
    if at == #tokens then
      if not step.again then
        ranout, isOver = 1, true
        return nil
      end
      at = 0
    end
    at = at + 1
    return table.concat(pieces, tokens[at])
  end
end
function makers.answered(step)
  for _, id in ipairs(readTokens(step.file, plan.threads, index)) do ids[#ids + 1] = id end
  local pieces = step.pieces
  return function()
    local id = nextId()
    return id and table.concat(pieces, id)
  end
end

local make = {}
function init(args)
  for at, step in ipairs(steps) do
    ok[at] = 0
    make[at] = makers[step.tokens](step)
  end
  -- wrk asks the first thread for one request before the start, to look at it.
  verified = index ~= 0
end

local function finish()
  if counts then return end
  counts = table.concat(ok, ",") .. "," .. refused
  io.stderr:write("parked\n")
  wrk.thread:stop()
end

function request()
  if not verified then
    verified = true
    return parking
  end
  local clock = now()
  if not deadline then
    deadline, started = clock + plan.seconds, clock
    io.stderr:write("started\n")
  end
  if clock >= deadline then isOver = true end
  -- A step without an id waits for its next turn.
  for _ = 1, #order do
    if isOver then break end
    place = place % #order + 1
    local made = make[order[place]]()
    if made then
      sent = sent + 1
      return made
    end
  end
  if isOver and answered == sent then finish() end
  return parking
end

local function stepOf(body)
  if #steps == 1 then return 1 end
  for at, step in ipairs(steps) do
    if sub(body, 1, #step.answer) == step.answer then return at end
  end
end

function response(status, headers, body)
  if sub(body, 1, #plan.parked) == plan.parked then return end
  answered = answered + 1
  ended = now()
  local at = stepOf(body)
  local expects = at and steps[at].expects
  if at and (expects == status or expects == 0 and status >= 200 and status < 300) then
    ok[at] = ok[at] + 1
    if steps[at].keepsId then fresh[#fresh + 1] = body:match('"id": ?"?([%w_-]+)') end
  else
    refused = refused + 1
  end
  if isOver and answered == sent then finish() end
end

function done(summary, latency, requests)
  local sent, elapsedMs, ranout = totals()
  local incomplete, all = 0, {}
  for _, thread in ipairs(threads) do
    local counts = thread:get("counts")
    if counts then table.insert(all, "[" .. counts .. "]") else incomplete = incomplete + 1 end
  end
  io.write(string.format(
    '{"sent":%d,"elapsedMs":%.3f,"incomplete":%d,"ranOut":%d,"counts":[%s],%s,"latencyUs":%s}\n',
    sent, elapsedMs, incomplete, ranout, table.concat(all, ","), errorsJson(summary.errors), latencyJson(latency)))
end
