-- What a request comes after is looked for again once its fields were mended or supplied.

GRANT UPDATE (likely_duplicate_of, repeats) ON requests.request TO requests_runtime;
