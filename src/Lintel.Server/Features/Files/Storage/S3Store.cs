using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Lintel.Platform.Breakers;

namespace Lintel.Features.Files.Storage;

/// <summary>The calls to an object store, behind a breaker: one that does not answer is left alone for a while, and nobody waits for it in vain.</summary>
internal sealed class S3Store : IDisposable
{
    public const string BreakerName = "s3";

    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(60);

    private readonly AmazonS3Client _client;
    private readonly Breaker _breaker;
    private readonly S3Options _options;
    private readonly TimeProvider _time;

    public S3Store(S3Options options, Breakers breakers, TimeProvider time)
    {
        _options = options;
        _time = time;
        _breaker = breakers[BreakerName];
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.UsesPathStyle,
            MaxErrorRetry = 2,

            // Not all stores know the newer checksums; what is stored is checked by its own SHA-256.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = options.Region;
        }
        else
        {
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(options.Region);
        }

        _client = options.AccessKey is { } key ? new(new BasicAWSCredentials(key, options.SecretKey), config) : new(config);
    }

    private bool IsEncrypted => _options.Endpoint?.Scheme != Uri.UriSchemeHttp;

    /// <summary>Whether a failure says that the store does not work, rather than that it refused one request.</summary>
    public static bool IsOutage(Exception failure) => failure is not AmazonServiceException
    {
        StatusCode: (>= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not (HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests)) or HttpStatusCode.NotImplemented,
    };

    public Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => CallAsync(
        token => _client.PutObjectAsync(
            new()
            {
                BucketName = _options.Bucket,
                Key = key,
                InputStream = StreamOf(content),
                ContentType = "application/octet-stream",
                UseChunkEncoding = false,
                DisablePayloadSigning = IsEncrypted,
            },
            token),
        cancellationToken);

    /// <summary>A part of an object; null where there is none of that name.</summary>
    public async Task<Stream?> GetAsync(string key, long offset, long length, CancellationToken cancellationToken)
    {
        try
        {
            var response = await CallAsync(
                token => _client.GetObjectAsync(new() { BucketName = _options.Bucket, Key = key, ByteRange = new(offset, offset + length - 1) }, token), cancellationToken, tellsMissing: true);
            return response.ResponseStream;
        }
        catch (AmazonS3Exception failure) when (IsMissing(failure))
        {
            return null;
        }
    }

    /// <summary>How long an object is; null where there is none of that name.</summary>
    public async Task<long?> LengthAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return (await CallAsync(token => _client.GetObjectMetadataAsync(_options.Bucket, key, token), cancellationToken, tellsMissing: true)).ContentLength;
        }
        catch (AmazonS3Exception failure) when (IsMissing(failure))
        {
            return null;
        }
    }

    public Task DeleteAsync(string key, CancellationToken cancellationToken) => CallAsync(token => _client.DeleteObjectAsync(_options.Bucket, key, token), cancellationToken);

    /// <summary>The names of objects that begin so, a thousand at most.</summary>
    public async Task<List<string>> ListAsync(string prefix, CancellationToken cancellationToken)
    {
        var response = await CallAsync(token => _client.ListObjectsV2Async(new() { BucketName = _options.Bucket, Prefix = prefix }, token), cancellationToken);
        return [.. (response.S3Objects ?? []).Select(static found => found.Key)];
    }

    public async Task<string> BeginPartsAsync(string key, CancellationToken cancellationToken) =>
        (await CallAsync(token => _client.InitiateMultipartUploadAsync(_options.Bucket, key, token), cancellationToken)).UploadId;

    /// <returns>The part's tag, for <see cref="CompleteAsync"/>.</returns>
    public async Task<string> PutPartAsync(string key, string uploadId, int number, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var response = await CallAsync(
            token => _client.UploadPartAsync(
                new()
                {
                    BucketName = _options.Bucket,
                    Key = key,
                    UploadId = uploadId,
                    PartNumber = number,
                    PartSize = content.Length,
                    InputStream = StreamOf(content),
                    UseChunkEncoding = false,
                    DisablePayloadSigning = IsEncrypted,
                },
                token),
            cancellationToken);
        return response.ETag;
    }

    /// <summary>Makes one object of its parts.</summary>
    /// <returns>False where there is no such upload: it was completed before, or given up.</returns>
    public async Task<bool> CompleteAsync(string key, string uploadId, IReadOnlyList<string> tags, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(
                token => _client.CompleteMultipartUploadAsync(
                    new() { BucketName = _options.Bucket, Key = key, UploadId = uploadId, PartETags = [.. tags.Select(static (tag, index) => new PartETag(index + 1, tag))] }, token),
                cancellationToken,
                tellsMissing: true);
            return true;
        }
        catch (AmazonS3Exception failure) when (IsMissing(failure))
        {
            return false;
        }
    }

    public async Task AbortAsync(string key, string uploadId, CancellationToken cancellationToken)
    {
        try
        {
            await CallAsync(token => _client.AbortMultipartUploadAsync(_options.Bucket, key, uploadId, token), cancellationToken, tellsMissing: true);
        }
        catch (AmazonS3Exception failure) when (IsMissing(failure))
        {
            // Completed or aborted before.
        }
    }

    /// <summary>The uploads in parts that were begun for an object, where the store can tell.</summary>
    public async Task<List<string>> ListPartsBegunAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            var response = await CallAsync(token => _client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = _options.Bucket, Prefix = key }, token), cancellationToken, tellsMissing: true);
            return [.. (response.MultipartUploads ?? []).Where(upload => upload.Key == key).Select(static upload => upload.UploadId)];
        }
        catch (AmazonS3Exception failure) when (IsMissing(failure))
        {
            return [];
        }
    }

    public void Dispose() => _client.Dispose();

    private static bool IsMissing(Exception failure) => failure is AmazonS3Exception { StatusCode: HttpStatusCode.NotFound or HttpStatusCode.NotImplemented };

    private static MemoryStream StreamOf(ReadOnlyMemory<byte> content) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(content, out var array) ? new(array.Array!, array.Offset, array.Count, writable: false) : new(content.ToArray());

    /// <param name="tellsMissing">Whether the caller wants to know that there is no such thing, or that the store does not know how.</param>
    private async Task<T> CallAsync<T>(Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken, bool tellsMissing = false)
    {
        var result = default(T)!;
        using var late = new CancellationTokenSource(CallTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await _breaker.RunAsync(
                async token =>
                {
                    try
                    {
                        result = await call(token);
                    }
                    catch (OperationCanceledException failure) when (!cancellationToken.IsCancellationRequested)
                    {
                        // To the breaker a call that was cancelled is none; one that takes too long is a failure.
                        throw new TimeoutException("The object store did not answer in time.", failure);
                    }
                },
                either.Token);
            return result;
        }
        catch (Exception failure) when (
            failure is AmazonServiceException or AmazonClientException or HttpRequestException or IOException or TimeoutException && !(tellsMissing && IsMissing(failure)))
        {
            throw new FileStorageException("Files cannot be stored or read at this moment: the object store does not work. Try again later.", failure) { RetryAfter = TimeSpan.FromSeconds(30) };
        }
    }
}
