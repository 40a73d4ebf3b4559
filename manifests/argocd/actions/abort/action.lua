-- `headgate abort`: the candidate is refused or, during the watch after a promotion, the version that was promoted.
local status = obj.status or {}
local trial = status.candidate or (status.previous ~= nil and status.stable) or nil
if trial == nil then
  error("there is no revision on trial to abort")
end
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["headgate.dev/command"] = "abort@" .. trial.id
return obj
