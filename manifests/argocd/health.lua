-- The health of a ModelDeployment, as Argo CD shows it. Argo CD gives a script no string, math or io library, and one second.
-- An object that is being deleted never gets here: Argo CD itself calls that Progressing.

local function health(status, message)
  return { status = status, message = message }
end

local status = obj.status or {}
local observed, generation = status.observedGeneration or -1, obj.metadata.generation or 0
if observed < generation then
  return health("Progressing", "the operator has not seen this manifest yet")
end

-- HookFailed: a gate that said no is asked again only when a person says retry.
local waits_for_people = { Paused = true, PauseStep = true, ShadowReady = true, FreezeWindow = true, HookFailed = true }

local found = {}
for _, condition in ipairs(status.conditions or {}) do
  if condition.status == "True" or condition.type == "Ready" then
    found[condition.type] = condition
  end
end

local function saying(condition)
  return condition.reason .. ": " .. (condition.message or "")
end

local ready, moving = found.Ready, found.Reconciling
if found.Stalled ~= nil then
  return health("Degraded", saying(found.Stalled))
end
if ready ~= nil and ready.reason == "StableUnavailable" then
  return health("Degraded", saying(ready))
end
if moving ~= nil then
  return health(waits_for_people[moving.reason] and "Suspended" or "Progressing", saying(moving))
end
if ready ~= nil and ready.status == "True" then
  return health("Healthy", ready.message)
end
return health("Progressing", ready ~= nil and saying(ready) or "no version serves yet")
