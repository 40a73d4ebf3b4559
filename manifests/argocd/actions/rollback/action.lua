-- `headgate rollback`: the command names the revision to leave, the stable one.
if obj.status == nil or obj.status.stable == nil then
  error("there is no stable revision to leave")
end
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["headgate.dev/command"] = "rollback@" .. obj.status.stable.id
return obj
