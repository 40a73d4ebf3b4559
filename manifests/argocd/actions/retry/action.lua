-- `headgate retry`: asks the failed hooks of the candidate again; else takes back the refusal of the revision that the manifest asks for, or
-- of the one refused last.
local status = obj.status or {}
local again = nil
for _, hook in ipairs(status.candidate ~= nil and status.candidate.hooks or {}) do
  if hook.result == "Failed" then
    again = status.candidate
  end
end
for _, entry in ipairs(status.rejected or {}) do
  if again == nil and entry.modelUri == obj.spec.model.uri then
    again = entry
  end
end
again = again or (status.rejected or {})[1]
if again == nil then
  error("there is no refused revision to retry")
end
obj.metadata.annotations = obj.metadata.annotations or {}
obj.metadata.annotations["headgate.dev/command"] = "retry@" .. again.id
return obj
