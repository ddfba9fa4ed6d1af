-- The health of a Calendar. It needs none of Lua's libraries but the base: Argo CD
-- opens no more for scripts of argocd-cm.

local function health(status, message)
  return { status = status, message = message }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "the calendar is being deleted")
end
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not seen this spec yet")
end

local found = {}
for _, condition in ipairs(obj.status.conditions or {}) do
  found[condition.type] = condition
end

-- One that is there with that status, or nil.
local function condition(kind, status)
  if found[kind] ~= nil and found[kind].status == status then
    return found[kind]
  end
end

local stalled = condition("Stalled", "True")
if stalled ~= nil then
  return health("Degraded", stalled.reason .. ": " .. stalled.message)
end
local waits = condition("Reconciling", "True") or condition("Ready", "False")
if waits ~= nil then
  return health("Progressing", waits.reason .. ": " .. waits.message)
end
local ready = condition("Ready", "True")
if ready == nil then
  return health("Progressing", "the operator has not judged this spec yet")
end

return health("Healthy", ready.message)
