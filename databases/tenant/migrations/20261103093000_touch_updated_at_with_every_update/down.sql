drop trigger summaries_touch_updated_at on summaries;
drop trigger contexts_touch_updated_at on contexts;

-- tenant_shared.touch_updated_at() stays: the triggers of other tenants call it.
