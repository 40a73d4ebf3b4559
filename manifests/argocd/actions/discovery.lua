-- Which commands the operator would carry out now. All are listed, so that people see what there is; the others are greyed out.

local status, spec = obj.status or {}, obj.spec
local candidate, stable, previous, last = status.candidate, status.stable, status.previous, status.lastCommand
local annotations = obj.metadata.annotations or {}

-- One command at a time: the annotation holds one, and the operator removes it once it is carried out.
local free = annotations["headgate.dev/command"] == nil and not (last ~= nil and last.removing)

local refused, hook_failed, earlier = {}, false, previous ~= nil
for _, entry in ipairs(status.rejected or {}) do
  refused[entry.id] = true
end
for _, hook in ipairs(candidate ~= nil and candidate.hooks or {}) do
  hook_failed = hook_failed or hook.result == "Failed"
end
for _, entry in ipairs(status.history or {}) do
  earlier = earlier or (stable ~= nil and entry.id ~= stable.id and not refused[entry.id])
end

-- A version that takes over by itself, as the first one does, cannot be promoted.
local on_trial = candidate ~= nil and stable ~= nil and not candidate.knownGood
local moving = on_trial and not candidate.paused and not spec.paused
local with_traffic = on_trial and ((candidate.weight or 0) > 0 or (candidate.mirror or 0) > 0)
local leaving = candidate ~= nil and stable ~= nil and candidate.returnFrom == stable.id

local function action(name, icon, possible)
  return { displayName = name, iconClass = "fa fa-fw fa-" .. icon, disabled = not (free and possible) }
end

return {
  ["promote"] = action("Promote", "angle-up", moving and not hook_failed and (candidate.atPause or with_traffic)),
  ["promote-full"] = action("Promote to 100 %", "angle-double-up", moving and candidate.suspendedSince == nil),
  ["pause"] = action("Pause", "pause", candidate ~= nil and not candidate.paused),
  ["resume"] = action("Resume", "play", candidate ~= nil and candidate.paused),
  ["abort"] = action("Abort", "times", candidate ~= nil or previous ~= nil),
  -- Beside a candidate it would take back the refusal of an earlier one, which nobody means who looks at the candidate.
  ["retry"] = action("Retry", "redo", hook_failed or (candidate == nil and next(refused) ~= nil)),
  ["rollback"] = action("Roll back to the previous version", "undo", stable ~= nil and earlier and not leaving),
}
