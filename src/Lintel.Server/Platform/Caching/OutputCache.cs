using System.Buffers;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Lintel.Platform.Storage;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;

namespace Lintel.Platform.Caching;

/// <summary>What belongs together and goes stale together: everything of a topic that one owner has.</summary>
/// <param name="Topic">A word for it, of its feature's own.</param>
internal readonly record struct CacheTag(string Topic, long OwnerId);

/// <summary>A body in JSON as it is sent, and its entity tag, quoted.</summary>
internal sealed record CachedBody(byte[] Json, string ETag)
{
    // As all other answers are written: letters as they are.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a value, whose tag is its hash unless <paramref name="etag"/> gives one.</summary>
    public static CachedBody Of<T>(T value, JsonTypeInfo<T> type, string? etag = null) => Of(writer => JsonSerializer.Serialize(writer, value, type), etag);

    /// <summary>The same of what <paramref name="write"/> writes.</summary>
    public static CachedBody Of(Action<Utf8JsonWriter> write, string? etag = null)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            write(writer);
        }

        var json = buffer.WrittenSpan.ToArray();
        return new(json, etag ?? $"\"{Convert.ToHexStringLower(SHA256.HashData(json).AsSpan(0, 16))}\"");
    }
}

/// <summary>
/// Keeps bodies that are read often, for their owner. Each tag has a generation, which is part of what a body is kept under: whoever changes what a tag stands for raises it, and what
/// was read before or meanwhile is found by nobody. The framework's own output caching would keep a body that was read just before a change and stored just after it.
/// </summary>
/// <remarks>
/// It is exact, so where other nodes may change what this one keeps, on PostgreSQL, nothing is kept. Generations are shared by the tags that fall on the same place: one that is raised for
/// another's sake costs a read.
/// </remarks>
internal sealed class OutputCache(Database database) : IDisposable
{
    private const int Places = 4096;
    private const long MaxBytes = 16 * 1024 * 1024;
    private const int MaxBody = 256 * 1024;

    // What an entry takes beside its body.
    private const int Overhead = 400;

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    private readonly long[] _generations = new long[Places];
    private readonly MemoryCache _bodies = new(Options.Create(new MemoryCacheOptions { SizeLimit = MaxBytes }));

    /// <summary>What a tag stands for has changed. Call it after the change is committed and before anybody is told of it.</summary>
    public void Invalidate(CacheTag tag) => Interlocked.Increment(ref _generations[PlaceOf(tag)]);

    /// <summary>Calls <see cref="Invalidate(CacheTag)"/> when the unit of work is committed.</summary>
    public void Invalidate(DbSession session, CacheTag tag) => session.AfterCommit(() => Invalidate(tag));

    /// <summary>A body that is kept, or is read now and kept then; null where <paramref name="read"/> finds nothing, which is not kept.</summary>
    /// <param name="detail">What of the tag it is: equal for equal requests.</param>
    public ValueTask<CachedBody?> GetAsync<TDetail>(CacheTag tag, TDetail detail, Func<TDetail, Task<CachedBody?>> read)
        where TDetail : notnull
    {
        if (database.Kind == DatabaseKind.Postgres)
        {
            return new(read(detail));
        }

        // Taken before it is read: what changes meanwhile raises it.
        var key = new Key<TDetail>(tag, Volatile.Read(ref _generations[PlaceOf(tag)]), detail);
        return _bodies.TryGetValue(key, out CachedBody? kept) ? new(kept) : ReadAsync(key, read);
    }

    public void Dispose() => _bodies.Dispose();

    private async ValueTask<CachedBody?> ReadAsync<TDetail>(Key<TDetail> key, Func<TDetail, Task<CachedBody?>> read)
        where TDetail : notnull
    {
        var body = await read(key.Detail);
        if (body is { Json.Length: <= MaxBody })
        {
            using var entry = _bodies.CreateEntry(key);
            entry.Value = body;
            entry.Size = body.Json.Length + Overhead;
            entry.AbsoluteExpirationRelativeToNow = Lifetime;
        }

        return body;
    }

    private static int PlaceOf(CacheTag tag) => (int)((uint)tag.GetHashCode() % Places);

    private sealed record Key<TDetail>(CacheTag Tag, long Generation, TDetail Detail);
}
