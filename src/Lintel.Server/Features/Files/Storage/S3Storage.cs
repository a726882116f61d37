using System.Text.Json;
using System.Text.Json.Serialization;
using Lintel.Platform.Http;

namespace Lintel.Features.Files.Storage;

/// <summary>
/// Files in an object store. A draft is an upload in parts of which the last, too short to be one yet, lies beside it as an object of its own; the database knows which parts
/// there are, so any node can go on. A file of less than a part is one object at once.
/// </summary>
internal sealed class S3Storage(S3Store store, S3Options options, BodyBudget budget) : IFileStorage
{
    /// <summary>The least that the protocol takes of any part but the last; ten thousand of them are the largest file.</summary>
    public const int PartSize = 5 * 1024 * 1024;

    // A share of the memory for bodies: all drafts together take no more than one caller's bodies may.
    private const long BudgetOwner = -1;

    public async ValueTask<DraftWriter> OpenDraftAsync(Guid id, long length, string state, CancellationToken cancellationToken)
    {
        var known = state.Length == 0 ? new S3DraftState(null, [], 0) : JsonSerializer.Deserialize(state, S3Json.Default.S3DraftState)!;
        if ((known.Parts.Count * (long)PartSize) + known.Tail != length)
        {
            throw new FileStorageException("A part of the upload is missing in the server's storage; begin it again.");
        }

        var draft = new Draft(this, id, known);
        try
        {
            if (known.Tail > 0)
            {
                await draft.LoadTailAsync(cancellationToken);
            }

            return draft;
        }
        catch
        {
            await draft.DisposeAsync();
            throw;
        }
    }

    public async ValueTask<Stream> OpenReadAsync(Guid id, long offset, long length, CancellationToken cancellationToken) =>
        await store.GetAsync(KeyOf(id), offset, length, cancellationToken) ?? throw new FileStorageException("The file is missing in the object store.");

    public async ValueTask DeleteAsync(Guid id, string? state, CancellationToken cancellationToken)
    {
        var key = KeyOf(id);
        if (state is not null)
        {
            var known = state.Length == 0 ? null : JsonSerializer.Deserialize(state, S3Json.Default.S3DraftState)!.UploadId;
            foreach (var upload in known is null ? await store.ListPartsBegunAsync(key, cancellationToken) : [known])
            {
                await store.AbortAsync(key, upload, cancellationToken);
            }

            await DeleteTailsAsync(id, cancellationToken);
        }

        await store.DeleteAsync(key, cancellationToken);
    }

    /// <summary>What there is room for is the store's to know, which is none of ours to fill.</summary>
    public void CheckRoom(long bytes)
    {
    }

    public async ValueTask CheckAsync(CancellationToken cancellationToken) => await store.ListAsync($"{options.Prefix}check", cancellationToken);

    private S3Store Store => store;

    private BodyBudget Budget => budget;

    private string KeyOf(Guid id) => $"{options.Prefix}files/{id:N}";

    // Named for where it begins: one that is written when there are more parts must not take the place of one that the database still speaks of.
    private string TailOf(Guid id, int parts) => $"{options.Prefix}drafts/{id:N}/{parts}";

    private async ValueTask DeleteTailsAsync(Guid id, CancellationToken cancellationToken)
    {
        foreach (var tail in await store.ListAsync($"{options.Prefix}drafts/{id:N}/", cancellationToken))
        {
            await store.DeleteAsync(tail, cancellationToken);
        }
    }

    private sealed class Draft(S3Storage storage, Guid id, S3DraftState known) : DraftWriter
    {
        private readonly List<string> _parts = [.. known.Parts];
        private readonly string _key = storage.KeyOf(id);
        private string? _uploadId = known.UploadId;
        private bool _hasTail = known.Tail > 0;
        private bool _isCommitted;
        private byte[] _buffer = [];
        private int _filled;
        private IDisposable? _lease;

        private long Length => (_parts.Count * (long)PartSize) + _filled;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            while (!bytes.IsEmpty)
            {
                await ReserveAsync(_filled + bytes.Length, cancellationToken);
                var piece = Math.Min(bytes.Length, PartSize - _filled);
                bytes[..piece].CopyTo(_buffer.AsMemory(_filled));
                _filled += piece;
                bytes = bytes[piece..];
                if (_filled == PartSize)
                {
                    await PutPartAsync(cancellationToken);
                }
            }
        }

        public override async ValueTask<DraftMark> FlushAsync(bool isLast, CancellationToken cancellationToken)
        {
            if (isLast && _filled > 0 && !_isCommitted)
            {
                _hasTail = true;
                await storage.Store.PutAsync(storage.TailOf(id, _parts.Count), _buffer.AsMemory(0, _filled), cancellationToken);
            }

            var tail = isLast ? _filled : 0;
            return new((_parts.Count * (long)PartSize) + tail, JsonSerializer.Serialize(new(_uploadId, _parts, tail), S3Json.Default.S3DraftState));
        }

        public override async ValueTask CommitAsync(CancellationToken cancellationToken)
        {
            if (_isCommitted)
            {
                return;
            }

            var length = Length;
            if (_uploadId is null)
            {
                await storage.Store.PutAsync(_key, _buffer.AsMemory(0, _filled), cancellationToken);
            }
            else
            {
                // The last part is no part of what is known: another attempt puts it again.
                string[] tags = _filled > 0 ? [.. _parts, await storage.Store.PutPartAsync(_key, _uploadId, _parts.Count + 1, _buffer.AsMemory(0, _filled), cancellationToken)] : [.. _parts];
                if (!await storage.Store.CompleteAsync(_key, _uploadId, tags, cancellationToken) && await storage.Store.LengthAsync(_key, cancellationToken) != length)
                {
                    throw new FileStorageException("The upload is missing in the object store; begin it again.");
                }
            }

            _isCommitted = true;
            if (_hasTail)
            {
                await storage.DeleteTailsAsync(id, cancellationToken);
            }
        }

        public override ValueTask DisposeAsync()
        {
            _buffer = [];
            _lease?.Dispose();
            _lease = null;
            return ValueTask.CompletedTask;
        }

        public async ValueTask LoadTailAsync(CancellationToken cancellationToken)
        {
            await ReserveAsync((int)known.Tail, cancellationToken);
            var tail = await storage.Store.GetAsync(storage.TailOf(id, _parts.Count), 0, known.Tail, cancellationToken);
            if (tail is null)
            {
                // All was committed by an attempt that ended right behind that: there is nothing more to write.
                _filled = (int)known.Tail;
                _isCommitted = await storage.Store.LengthAsync(_key, cancellationToken) == Length ? true : throw new FileStorageException("A part of the upload is missing in the object store; begin it again.");
                return;
            }

            await using (tail)
            {
                await tail.ReadExactlyAsync(_buffer.AsMemory(0, (int)known.Tail), cancellationToken);
                _filled = (int)known.Tail;
            }
        }

        private async ValueTask PutPartAsync(CancellationToken cancellationToken)
        {
            _uploadId ??= await storage.Store.BeginPartsAsync(_key, cancellationToken);
            _parts.Add(await storage.Store.PutPartAsync(_key, _uploadId, _parts.Count + 1, _buffer.AsMemory(0, _filled), cancellationToken));
            _filled = 0;
        }

        /// <summary>Makes room for so much, but at most for a part. Small files are many perhaps, and take little.</summary>
        private async ValueTask ReserveAsync(int length, CancellationToken cancellationToken)
        {
            if (_buffer.Length >= Math.Min(length, PartSize))
            {
                return;
            }

            var capacity = length <= BodyBudget.Uncounted ? BodyBudget.Uncounted : PartSize;
            _lease = capacity == PartSize ? await storage.Budget.TakeAsync(BudgetOwner, PartSize, cancellationToken) : null;
            var larger = GC.AllocateUninitializedArray<byte>(capacity);
            _buffer.AsSpan(0, _filled).CopyTo(larger);
            _buffer = larger;
        }
    }
}

/// <summary>What the database keeps of a draft.</summary>
/// <param name="UploadId">The store's name for the upload in parts; null before the first part.</param>
/// <param name="Parts">The tags of its parts, in order.</param>
/// <param name="Tail">How much there is behind them, in an object of its own.</param>
internal sealed record S3DraftState(string? UploadId, IReadOnlyList<string> Parts, long Tail);

[JsonSerializable(typeof(S3DraftState))]
internal sealed partial class S3Json : JsonSerializerContext;
