/** The name of a code of `google.rpc.Code`. */
export type Code =
  | "OK"
  | "CANCELLED"
  | "UNKNOWN"
  | "INVALID_ARGUMENT"
  | "DEADLINE_EXCEEDED"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "OUT_OF_RANGE"
  | "UNIMPLEMENTED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "DATA_LOSS"
  | "UNAUTHENTICATED";

/** One message of `google.rpc.Status.details`, with its type in `@type`. */
export type Detail = { "@type": string; [field: string]: unknown };

/** A field that the server does not accept (`google.rpc.BadRequest.FieldViolation`). */
export type FieldViolation = { field: string; description: string; reason?: string };

/** A failed call: what the gateway says of it, or why there is no answer. */
export declare class GatewayError extends Error {
  constructor(
    code: Code,
    message: string,
    more?: { details?: Detail[]; status?: number; requestId?: string; cause?: unknown },
  );
  readonly code: Code;
  readonly details: Detail[];
  /** HTTP status; absent when there was no answer. */
  readonly status: number | undefined;
  /** What the server calls this call in its log. */
  readonly requestId: string | undefined;
  /** The detail of a type, for example `google.rpc.ErrorInfo`. */
  detail(type: string): Detail | undefined;
  /** The fields that were not accepted. */
  get fieldViolations(): FieldViolation[];
  /** How long the server wants to be left alone, in milliseconds. */
  get retryDelayMs(): number | undefined;
}

/** How to reach a gateway. */
export type GatewayOptions = {
  /** The bearer token, or what gives one for each attempt. */
  token?: string | (() => string | undefined | Promise<string | undefined>);
  /** Headers of every call. */
  headers?: HeadersInit;
  /** Instead of the global function. */
  fetch?: typeof globalThis.fetch;
};

/** What can be said of one call. */
export type CallOptions = {
  /** Gives up when it is aborted; the call fails with CANCELLED. */
  signal?: AbortSignal;
  /**
   * How long all attempts together may take, in milliseconds; the server is told. For
   * a stream without limit when absent, else what the contract says.
   */
  timeoutMs?: number;
  /** Further headers. */
  headers?: HeadersInit;
};

/** The HTTP side of an RPC, as the contract has it. */
export type Route = {
  verb: string;
  /** Path template with JSON names of the request's fields. */
  path: string;
  /** `*`, or the field that is the body. */
  body?: string;
  /** The response's field that is the body. */
  responseBody?: string;
  /** The response is no JSON (`google.api.HttpBody`). */
  raw?: boolean;
  timeoutMs?: number;
  retry?: {
    maxAttempts: number;
    initialBackoffMs: number;
    maxBackoffMs: number;
    multiplier: number;
    /** How long one attempt may take. */
    attemptMs?: number;
  };
  /** The request's field for a key that tells repeats from new calls; filled when empty. */
  idempotencyField?: string;
  /** The same as a header. */
  idempotencyHeader?: string;
};

/** A JSON gateway, called with `fetch`. */
export declare class Gateway {
  constructor(baseUrl: string | URL, options?: GatewayOptions);
  /** Calls a unary RPC; repeats it where the contract says that this does no harm. */
  call<Response>(route: Route, request?: object, options?: CallOptions): Promise<Response>;
  /** Calls an RPC that answers with a stream. */
  stream<Response>(
    route: Route,
    request?: object,
    options?: CallOptions,
  ): AsyncGenerator<Response, void, undefined>;
}

/** Walks the pages of a list (AIP-158): asks for the next one when it is needed. */
export declare function pages<Request, Response, Item>(
  list: (request: Request) => Promise<Response>,
  request: Request,
  fields: { token: keyof Request; next: keyof Response; items: keyof Response },
): AsyncGenerator<Item, void, undefined>;
