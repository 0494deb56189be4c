import httpx

class ImageProcessorClient:
    def __init__(self, base_url: str, jwt_token: str):
        self.base_url = base_url
        self.headers = {"Authorization": f"Bearer {jwt_token}"}
    
    async def upload_image(
        self, 
        file_data: bytes, 
        bucket: str, 
        metadata: dict = None
    ) -> dict:
        """Upload image and return job info"""
        files = {"file": ("upload.jpg", file_data, "image/jpeg")}
        data = {
            "bucket": bucket,
            "metadata": json.dumps(metadata or {})
        }
        
        async with httpx.AsyncClient() as client:
            response = await client.post(
                f"{self.base_url}/api/v1/images/upload",
                files=files,
                data=data,
                headers=self.headers
            )
            response.raise_for_status()
            return response.json()
    
    async def poll_until_complete(
        self, 
        job_id: str, 
        max_attempts: int = 30
    ) -> dict:
        """Poll job status until completed"""
        for _ in range(max_attempts):
            async with httpx.AsyncClient() as client:
                response = await client.get(
                    f"{self.base_url}/api/v1/images/jobs/{job_id}/result",
                    headers=self.headers
                )
                
                if response.status_code == 200:
                    return response.json()
                elif response.status_code == 409:
                    await asyncio.sleep(2)
                    continue
                else:
                    response.raise_for_status()
        
        raise TimeoutError(f"Job {job_id} did not complete in time")
