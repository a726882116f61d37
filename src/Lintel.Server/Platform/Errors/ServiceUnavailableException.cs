namespace Lintel.Platform.Errors;

/// <summary>Something that the request needs is out of service for a while; the client gets a 503.</summary>
internal class ServiceUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>When it makes sense to ask again, if that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
