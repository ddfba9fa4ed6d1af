-- The health of a Gate. It needs none of Lua's libraries but the base: Argo CD
-- opens no more for scripts of argocd-cm.

local function health(status, message)
  return { status = status, message = message }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "the gate is being deleted")
end
if obj.status == nil or obj.status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not seen this spec yet")
end

-- A verdict on another release, or from before a new check was asked for, says
-- nothing.
local wanted = obj.spec ~= nil and obj.spec.revision or ""
if wanted ~= (obj.status.revision or "") then
  return health("Progressing", "the check of " .. wanted .. " has not begun yet")
end
local asked = obj.metadata.annotations ~= nil and obj.metadata.annotations["experience.slo/requestedAt"] or ""
local handled = obj.status.lastHandledReconcileAt or ""
-- Of what is longer the status repeats whole characters in 128 bytes. What begins
-- with that is not less than it, and less than it with a byte that no text has.
local begins = #handled > 124 and handled < asked and asked < handled .. "\255"
if asked ~= "" and asked ~= handled and not begins then
  return health("Progressing", "the check that was asked for has not begun yet")
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
return health("Healthy", ready.reason .. ": " .. ready.message)
