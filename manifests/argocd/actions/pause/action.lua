-- `headgate pause`: the command names the candidate, so that one which comes too late does nothing.
if obj.status == nil or obj.status.candidate == nil then
  error("there is no candidate to pause")
end
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["headgate.dev/command"] = "pause@" .. obj.status.candidate.id
return obj
