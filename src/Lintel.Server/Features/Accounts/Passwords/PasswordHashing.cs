using System.Buffers.Binary;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>
/// Hashes and checks passwords on a few threads of its own, behind a bounded queue. Whoever gives up waiting gives up its place. Clients take turns, and when
/// the queue is full the one with most in it gives way: nobody can keep the others from signing in by signing in all the time.
/// </summary>
internal sealed class PasswordHashing : IDisposable
{
    // Of the framework's format, version 3: a marker, then the hash function, the rounds and the salt's length, each in four bytes.
    private const int IterationsOffset = 5;
    private const int SaltOffset = 13;
    private const int SaltLength = 16;
    private const int KeyLength = 32;
    private const int MarkerVersion3 = 1;
    private const int Sha512 = 2;

    private static readonly object Nobody = new();

    private readonly object _gate = new();
    private readonly LinkedList<Work> _queue = [];
    private readonly Thread[] _threads;
    private readonly PasswordHasher<object> _hasher;
    private readonly AccountOptions _options;
    private readonly TimeProvider _time;
    private readonly ImportedPasswords _imported;
    private readonly string _noOnesHash;
    private TimeSpan _lastDuration = TimeSpan.FromMilliseconds(200);
    private string _servedLast = "";
    private bool _isStopping;

    public PasswordHashing(AccountOptions options, TimeProvider time, ImportedPasswords imported)
    {
        _options = options;
        _time = time;
        _imported = imported;
        _hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = options.PasswordIterations }));
        _noOnesHash = MakeNoOnesHash(options.PasswordIterations);
        _threads = [.. Enumerable.Range(0, options.PasswordThreads).Select(i => new Thread(Run) { IsBackground = true, Name = $"password-{i}" })];
        Array.ForEach(_threads, static thread => thread.Start());
    }

    /// <summary>How many have had their turn, or have it now.</summary>
    public long Taken
    {
        get
        {
            lock (_gate)
            {
                return field;
            }
        }

        private set;
    }

    /// <summary>How many wait; those whose turn it is are not among them.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _queue.Count;
            }
        }
    }

    /// <summary>When the queue will have moved on, should it be full now.</summary>
    public TimeSpan RetryAfter => _lastDuration * ((double)_options.PasswordQueue / _options.PasswordThreads);

    /// <summary>The hash to keep of a new password; null when the queue is full.</summary>
    /// <param name="client">Whose turn it takes: the address that asks.</param>
    public Task<string?> HashAsync(string password, string client, CancellationToken cancellationToken) =>
        EnqueueAsync<string?>(() => _hasher.HashPassword(Nobody, password), null, client, cancellationToken);

    /// <summary>Checks a password against an account's hash, or against nobody's (null, or empty for an account without a password), which takes as long.</summary>
    /// <param name="client">Whose turn it takes: the address that asks.</param>
    public Task<PasswordCheck> CheckAsync(string? hash, string password, string client, CancellationToken cancellationToken) =>
        EnqueueAsync(() => Check(hash is "" ? null : hash, password), new PasswordCheck(PasswordVerdict.Busy), client, cancellationToken);

    /// <summary>A well-formed hash that no password has, for an account that has none yet.</summary>
    public string NoOnesHash() => MakeNoOnesHash(_options.PasswordIterations);

    public void Dispose()
    {
        lock (_gate)
        {
            _isStopping = true;
            Monitor.PulseAll(_gate);
        }

        Array.ForEach(_threads, static thread => thread.Join());
        foreach (var work in _queue)
        {
            work.Drop();
        }
    }

    private PasswordCheck Check(string? hash, string password)
    {
        var isImported = Bcrypt.IsHash(hash);
        if (isImported && _imported.Verify(hash!, password))
        {
            return new(PasswordVerdict.Right, _hasher.HashPassword(Nobody, password));
        }

        // An account that has no password, since another provider vouches for its person, takes as long as one that has.
        var own = isImported || hash is not { Length: > 0 } ? null : hash;
        switch (_hasher.VerifyHashedPassword(Nobody, own ?? _noOnesHash, password))
        {
            case PasswordVerificationResult.Success when own is not null:
                return new(PasswordVerdict.Right);
            case PasswordVerificationResult.SuccessRehashNeeded when own is not null:
                return new(PasswordVerdict.Right, _hasher.HashPassword(Nobody, password));
            default:
                // Whatever there is of the account, and if there is none: the rounds of our own and those of the dearest import.
                SpendMissingRounds(own, password);
                _imported.SpendRest(hash, password);
                return new(PasswordVerdict.Wrong);
        }
    }

    /// <summary>A hash of fewer rounds is refused sooner than nobody's would be; the difference would tell that there is an account.</summary>
    private void SpendMissingRounds(string? hash, string password)
    {
        if (hash is null)
        {
            return;
        }

        Span<byte> bytes = stackalloc byte[SaltOffset + SaltLength + KeyLength];
        if (!Convert.TryFromBase64String(hash, bytes, out var length) || length < SaltOffset)
        {
            return;
        }

        var missing = _options.PasswordIterations - BinaryPrimitives.ReadInt32BigEndian(bytes[IterationsOffset..]);
        if (missing > 0)
        {
            Span<byte> unused = stackalloc byte[KeyLength];
            Rfc2898DeriveBytes.Pbkdf2(password, bytes[..SaltLength], unused, missing, HashAlgorithmName.SHA512);
        }
    }

    /// <summary>A well-formed hash that no password has: its key is random. Nothing needs to be hashed for it at start.</summary>
    private static string MakeNoOnesHash(int iterations)
    {
        var bytes = RandomNumberGenerator.GetBytes(SaltOffset + SaltLength + KeyLength);
        bytes[0] = MarkerVersion3;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(1), Sha512);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(IterationsOffset), iterations);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(IterationsOffset + sizeof(int)), SaltLength);
        return Convert.ToBase64String(bytes);
    }

    private async Task<T> EnqueueAsync<T>(Func<T> compute, T busy, string client, CancellationToken cancellationToken)
    {
        var work = new Work<T>(compute, busy, client);
        lock (_gate)
        {
            if (_isStopping || (_queue.Count >= _options.PasswordQueue && !MakeRoomLocked(client)))
            {
                return busy;
            }

            work.Place = _queue.AddLast(work);
            Monitor.Pulse(_gate);
        }

        await using (cancellationToken.UnsafeRegister(_ => Leave(work, cancellationToken), null))
        {
            return await work.Task;
        }
    }

    /// <summary>Turns away the last of the client with most in the queue, unless that is the newcomer itself.</summary>
    private bool MakeRoomLocked(string client)
    {
        var counts = _queue.CountBy(static work => work.Client).ToDictionary();
        var (greedy, most) = counts.MaxBy(static entry => entry.Value);
        if (most <= counts.GetValueOrDefault(client) + 1)
        {
            return false;
        }

        var last = _queue.Last!;
        while (last.Value.Client != greedy)
        {
            last = last.Previous!;
        }

        _queue.Remove(last);
        last.Value.TurnAway();
        return true;
    }

    private void Leave<T>(Work<T> work, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (work.Place is { List: not null } place)
            {
                _queue.Remove(place);
            }
        }

        work.Cancel(cancellationToken);
    }

    private void Run()
    {
        while (Take() is { } work)
        {
            var started = _time.GetTimestamp();
            work.Run();
            _lastDuration = _time.GetElapsedTime(started);
        }
    }

    private Work? Take()
    {
        lock (_gate)
        {
            while (!_isStopping && _queue.Count == 0)
            {
                Monitor.Wait(_gate);
            }

            if (_isStopping)
            {
                return null;
            }

            // The first in the queue who was not served last: with several clients waiting none is served twice in a row.
            var next = _queue.First!;
            for (var other = next; other is not null; other = other.Next)
            {
                if (other.Value.Client != _servedLast)
                {
                    next = other;
                    break;
                }
            }

            _queue.Remove(next);
            _servedLast = next.Value.Client;
            Taken++;
            return next.Value;
        }
    }

    private abstract class Work(string client)
    {
        public string Client => client;

        public LinkedListNode<Work>? Place { get; set; }

        public abstract void Run();

        public abstract void Drop();

        /// <summary>Answers that too many wait.</summary>
        public abstract void TurnAway();
    }

    private sealed class Work<T>(Func<T> compute, T busy, string client) : Work(client)
    {
        private readonly TaskCompletionSource<T> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Task => _completion.Task;

        public void Cancel(CancellationToken cancellationToken) => _completion.TrySetCanceled(cancellationToken);

        public override void Run()
        {
            try
            {
                _completion.TrySetResult(compute());
            }
            catch (Exception failure)
            {
                _completion.TrySetException(failure);
            }
        }

        public override void Drop() => _completion.TrySetCanceled();

        public override void TurnAway() => _completion.TrySetResult(busy);
    }
}

internal enum PasswordVerdict
{
    Wrong,
    Right,

    /// <summary>Too many wait; nothing was checked.</summary>
    Busy,
}

/// <param name="NewHash">To be kept in place of the old one, which has fewer rounds than are asked for now.</param>
internal readonly record struct PasswordCheck(PasswordVerdict Verdict, string? NewHash = null);
