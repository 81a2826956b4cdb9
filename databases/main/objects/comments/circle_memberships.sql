comment on table circle_memberships is
  'Who is in which circle, and how the membership is paid. One row per person, also after coming back.';
comment on column circle_memberships.stripe_customer_id is
  'Payer of this membership; one customer may pay for several.';
comment on column circle_memberships.left_at is 'Null while a member.';
