comment on type legal_basis is
  'The grounds for processing personal data, in the order of Article 6(1)(a) to (f).';
